/**
 * Start a page that is one file: its modules are texts in it, and become blobs that import each
 * other. They stand in an order in which each comes after those that it imports.
 */
const urls = {}, files = {};
for (const { dataset, textContent } of document.querySelectorAll("script[type='text/plain']")) {
  if (dataset.file) files[dataset.file] = textContent;
  if (!dataset.module) continue;
  const text = textContent.replace(/from "\.\/([\w./-]+)"/g, (_, name) => `from "${urls[name]}"`);
  urls[dataset.module] = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
}
globalThis.mienPage = { urls, files };
await import(urls["app.js"]);
