/**
 * Start a page that is one file.
 *
 * Its modules are texts in it. A browser refuses to load modules from a page on a disk into a
 * worker, so they are joined into one script each for the page and for the worker: a module becomes
 * a function that returns what it exports.
 */
const texts = document.querySelectorAll("script[type='text/plain']");
const files = {}, modules = {};
for (const { dataset, textContent } of texts) {
  if (dataset.file) files[dataset.file] = textContent;
  if (dataset.module) modules[dataset.module] = textContent;
}
for (const text of texts) text.remove();

/** A module's text without import and export, returning what it exports. */
function plain(text) {
  const exported = [];
  const body = text
    .replaceAll("import.meta.url", "location.href")
    .replace(/^import (?:\* as )?([^;]+) from "\.\/(.+)";$/gm, 'const $1 = modules["$2"];')
    .replace(/^export ((?:async )?(?:function|class|const) (\w+))/gm, (_, kept, name) => {
      exported.push(name);
      return kept;
    })
    .replace(/;export\{(.+)\};$/m, (_, names) => { // as minifiers write it: a as B
      exported.push(...names.split(",").map((pair) => pair.split(" as ").reverse().join(": ")));
      return ";";
    });
  return `${body}\nreturn {${exported}};`;
}

/** The names of a module and of all that it imports, each after those that it imports itself. */
function needed(name, found = new Set()) {
  for (const [, other] of modules[name].matchAll(/^import [^;]+ from "\.\/(.+)";$/gm)) needed(other, found);
  return found.add(name);
}

/** The address of a script in which a module runs. */
function joined(last) {
  const parts = [...needed(last)].map((name) =>
    `modules["${name}"] = (() => {${plain(modules[name])}})();`);
  const script = ["const modules = {};", ...parts].join("\n");
  return URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
}

globalThis.mienPage = { worker: joined("worker.js"), files };
document.body.append(Object.assign(document.createElement("script"), { src: joined("app.js") }));
