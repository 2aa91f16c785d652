// Descriptors by the original graphs, the oracle of tests/models/test_starts_real.py.
//
// node face_descriptors.mjs FOLDER GRAY > face_descriptors.json
// FOLDER holds node_modules with @tensorflow/tfjs@4.22.0, @tensorflow/tfjs-backend-wasm@4.22.0,
// @vladmandic/face-api@1.7.15 and @vladmandic/human@3.3.6; GRAY holds 150x150 bytes:
// portrait[35:185, 150:300] of skimage.data.astronaut(), grey by mien.pixels.to_gray.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [folder, file] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const modules = `${folder}/node_modules/@vladmandic`;
const faceapi = require("@vladmandic/face-api/dist/face-api.node-wasm.js");
const tf = require("@tensorflow/tfjs");
await tf.setBackend("cpu");

const SIDE = 150;
const gray = tf.tensor(Array.from(readFileSync(file)), [SIDE, SIDE, 1], "float32");
const rounded = async (tensor) => Array.from(await tensor.data(), (x) => Number(x.toPrecision(8)));
const found = {};

// face-api divides by 255 where dlib, which trained the network, divides by 256:
// the pixels are moved so that both give the same numbers.
await faceapi.nets.faceRecognitionNet.loadFromDisk(`${modules}/face-api/model`);
const means = tf.tensor1d([122.782, 117.001, 104.298]);
const pixels = gray.sub(means).mul(255 / 256).add(means);
found["dlib-face 150"] = await rounded(tf.tensor1d(await faceapi.nets.faceRecognitionNet.computeFaceDescriptor(pixels)));

// The graph says 224 pixels, but takes any size. Blue, green, red less their means, as its authors do.
const json = JSON.parse(readFileSync(`${modules}/human/models/faceres.json`, "utf8"));
json.signature.inputs.input_1.tensorShape.dim.forEach((dim) => (dim.size = "-1"));
json.modelTopology.node.find(({ name }) => name === "input_1").attr.shape.shape.dim.forEach((dim) => (dim.size = "-1"));
const net = await tf.loadGraphModel({
  load: async () => ({
    modelTopology: json.modelTopology,
    signature: json.signature,
    weightSpecs: json.weightsManifest.flatMap((part) => part.weights),
    weightData: new Uint8Array(readFileSync(`${modules}/human/models/faceres.bin`)).buffer,
  }),
});
for (const side of [112, 97]) {
  const bgr = gray.slice([0, 0], [side, side]).sub(tf.tensor1d([103.939, 116.779, 123.68]));
  found[`faceres ${side}`] = await rounded(net.execute(bgr.expandDims(), "global_pooling/Mean"));
}
console.log(JSON.stringify(found));
