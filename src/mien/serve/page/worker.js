/**
 * The thread that reads faces, so that the page never waits: messages in, results out.
 *
 * A message is {id, call, ...}; the answer is {id, result} or {id, error, name}. Pictures come as
 * ImageBitmaps, decoded without colour conversion, and are closed here.
 */
import * as ort from "./vendor/ort.wasm.bundle.min.mjs";
import { Recognizer } from "./recognize.js";

let recognizer;
let context = fresh();

const calls = {
  /** Load onnxruntime and the networks: {files: {wasm, yunet, onet, model}, card}. */
  async open({ files, card }) {
    ort.env.wasm.numThreads = 1; // more would need headers that a folder of files does not send
    ort.env.wasm.wasmBinary = files.wasm;
    ort.env.logLevel = "error";
    const networks = {};
    for (const name of ["yunet", "onet", "model"]) {
      networks[name] = await ort.InferenceSession.create(files[name], { executionProviders: ["wasm"] });
    }
    recognizer = new Recognizer(networks, ort.Tensor, card);
  },

  async read({ bitmap }) {
    return recognizer.read(pixelsOf(bitmap));
  },

  async frame({ bitmap, time }) {
    return recognizer.frame(pixelsOf(bitmap), time);
  },

  /** Forget the video: {choice}, see follow.js. */
  async restart({ choice }) {
    recognizer.restart(choice);
  },
};

/** A canvas to draw on; one that was made too large for the browser stays clear for ever. */
function fresh() {
  return new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
}

/** The pixels of a bitmap; what is clear in it becomes white, as in Python. */
function pixelsOf(bitmap) {
  const { width, height } = bitmap, { canvas } = context;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  if (context.getImageData(0, 0, 1, 1).data[3] === 0) { // nothing was drawn
    context = fresh();
    throw new RangeError(`picture too large for this browser: ${width}x${height}`);
  }
  return context.getImageData(0, 0, width, height);
}

// One call at a time, in the order of the messages: tracking needs frames in theirs.
let last = Promise.resolve();
self.onmessage = ({ data }) => {
  last = last.then(async () => {
    try {
      self.postMessage({ id: data.id, result: await calls[data.call](data) });
    } catch (error) {
      self.postMessage({ id: data.id, error: String(error?.message ?? error), name: error?.name });
    }
  });
};
