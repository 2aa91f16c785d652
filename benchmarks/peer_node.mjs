// The expression networks of two npm packages, asked by benchmarks/peer_node.py.
//
// node peer_node.mjs FOLDER face-api|human     FOLDER holds node_modules.
// A line in:  {"crops": FILE, "out": FILE, "count": N, "batch": B}; FILE holds N crops of 64x64x3 uint8.
// A line out: {"s": seconds, "cpu": processor seconds since the start}; the other FILE then holds N x 7 float32 in the order of the peer.
// First line out: {"cpu": ..., "parameters": N}.
// WebAssembly with SIMD on one thread: the fastest way that needs no compiled add-on.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [folder, name] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const models = `${folder}/node_modules/@vladmandic/${name}`;
const SIDE = 64;

const count = (weights) =>
  weights
    .filter(({ dtype }) => dtype !== "int32")
    .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);

async function backend(tf, wasm) {
  wasm.setThreadsCount(1);
  if (!(await tf.setBackend("wasm"))) throw new Error("no WebAssembly backend");
  await tf.ready();
}

// As faceapi.detectAllFaces(...).withFaceExpressions() does with the crop of a face.
async function faceApi() {
  const faceapi = require("@vladmandic/face-api/dist/face-api.node-wasm.js");
  const tf = faceapi.tf;
  await backend(tf, require("@tensorflow/tfjs-backend-wasm"));
  const net = faceapi.nets.faceExpressionNet;
  await net.loadFromDisk(`${models}/model`);
  const order = ["angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral"];
  const manifest = `${models}/model/face_expression_model-weights_manifest.json`;
  const parameters = count(JSON.parse(readFileSync(manifest, "utf8"))[0].weights);
  const score = async (crops) => {
    const tensors = crops.map((crop) => tf.tensor3d(crop, [SIDE, SIDE, 3], "int32"));
    const found = await net.predictExpressions(tensors);
    tensors.forEach((tensor) => tensor.dispose());
    return (Array.isArray(found) ? found : [found]).map((one) => order.map((word) => one[word]));
  };
  return { score, parameters };
}

// As human's src/gear/emotion.ts does with the crop of a face, one at a time: luma, [-1, 1].
async function human() {
  const tf = require("@tensorflow/tfjs");
  await backend(tf, require("@tensorflow/tfjs-backend-wasm"));
  const json = JSON.parse(readFileSync(`${models}/models/emotion.json`, "utf8"));
  const bytes = readFileSync(`${models}/models/emotion.bin`);
  const net = await tf.loadGraphModel({
    load: async () => ({
      modelTopology: json.modelTopology,
      weightSpecs: json.weightsManifest.flatMap((part) => part.weights),
      weightData: new Uint8Array(bytes).buffer,
    }),
  });
  const luma = tf.tensor1d([0.2989, 0.587, 0.114]);
  const parameters = count(json.weightsManifest.flatMap((part) => part.weights));
  const one = async (crop) => {
    const found = tf.tidy(() => {
      const rgb = tf.tensor4d(crop, [1, SIDE, SIDE, 3], "float32").div(255);
      const gray = rgb.mul(luma).sum(3, true);
      return net.execute(gray.sub(0.5).mul(2));
    });
    const values = await found.data();
    found.dispose();
    return Array.from(values);
  };
  const score = async (crops) => {
    const rows = [];
    for (const crop of crops) rows.push(await one(crop));
    return rows;
  };
  return { score, parameters };
}

const { score, parameters } = await { "face-api": faceApi, human }[name]();
const cpu = () => Object.values(process.cpuUsage()).reduce((a, b) => a + b, 0) / 1e6;
console.log(JSON.stringify({ cpu: cpu(), parameters }));
for await (const line of createInterface({ input: process.stdin })) {
  const { crops, out, count, batch } = JSON.parse(line);
  const bytes = new Uint8Array(readFileSync(crops));
  const size = SIDE * SIDE * 3;
  const values = new Float32Array(count * 7);
  const start = performance.now();
  for (let i = 0; i < count; i += batch) {
    const last = Math.min(count, i + batch);
    const some = [];
    for (let k = i; k < last; k++) some.push(bytes.subarray(k * size, (k + 1) * size));
    (await score(some)).forEach((row, k) => values.set(row, (i + k) * 7));
  }
  const s = (performance.now() - start) / 1000;
  writeFileSync(out, new Uint8Array(values.buffer));
  console.log(JSON.stringify({ s, cpu: cpu() }));
}
