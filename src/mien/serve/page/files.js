/**
 * Where the page's files come from: beside this file, or inside the page where it is one file.
 *
 * A page of one file has put `mienPage` = {files: {name: text in base64}, worker: address} in place
 * before this runs.
 */

/** Start the worker: a module, or in a page of one file a script. */
export function startWorker() {
  const inside = globalThis.mienPage?.worker;
  if (inside) return new Worker(inside);
  return new Worker(new URL("worker.js", import.meta.url), { type: "module" });
}

/**
 * Load the card, and the files that it names: {card, files: {wasm, yunet, onet, model}}.
 *
 * @param {(part: number) => void} progress is told the part that has come, in [0, 1].
 */
export async function load(progress) {
  const card = JSON.parse(new TextDecoder().decode(await bytesOf("card.json", () => {})));
  const total = Object.values(card.files).reduce((sum, { bytes }) => sum + bytes, 0);
  let come = 0;
  const entries = Object.entries(card.files).map(async ([key, { name }]) => {
    const bytes = await bytesOf(name, (more) => progress((come += more) / total));
    return [key, await unpacked(bytes)];
  });
  return { card, files: Object.fromEntries(await Promise.all(entries)) };
}

async function bytesOf(name, came) {
  const inside = globalThis.mienPage?.files[name];
  if (inside !== undefined) {
    const bytes = fromBase64(inside);
    came(bytes.length);
    return bytes;
  }
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
  const parts = [];
  const reader = response.body.getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    parts.push(step.value);
    came(step.value.length);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** The bytes that a text in base64 stands for; browsers before 2025 do not do it by themselves. */
function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i); // 12 million of them
  return bytes;
}

/** Unpack gzip, if it is that: some servers have done it on the way. */
async function unpacked(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A picture to try the page with, as a File. */
export async function sample(name) {
  return new File([await bytesOf(name, () => {})], name, { type: "image/jpeg" });
}
