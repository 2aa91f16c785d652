/**
 * The engine for any page: expressions of the faces in pictures and videos, read in the browser.
 *
 *     import { Mien } from "./mien.js";
 *     const mien = await Mien.open();
 *     const { faces } = await mien.read(file);
 *     faces[0].label; // "happiness"
 *
 * The work is done in a Web Worker. Files are fetched from beside this one, and nothing is sent.
 */
import { load, startWorker } from "./files.js";

/** How an ImageBitmap must be made, so that its pixels are those of the file. */
export const EXACT = { colorSpaceConversion: "none", premultiplyAlpha: "none" };

export class Mien {
  #worker;
  #waiting = new Map(); // by the id of the call
  #next = 0;
  #broken = null; // why the worker cannot be used
  card = null; // labels, colours, rule, input and more of the model

  /** Use `Mien.open`. */
  constructor(worker) {
    this.#worker = worker;
    worker.onmessage = ({ data: { id, result, error, name } }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(result);
      else reject(Object.assign(new Error(error), { name }));
    };
    worker.onerror = (event) => {
      this.#broken = new Error(event.message ?? "the worker could not be started");
      for (const { reject } of this.#waiting.values()) reject(this.#broken);
      this.#waiting.clear();
    };
  }

  /**
   * Load the networks.
   *
   * @param {(part: number) => void} progress is told the part that has come, in [0, 1].
   */
  static async open(progress = () => {}) {
    const mien = new Mien(startWorker()); // its modules come while the networks do
    try {
      const { card, files } = await load(progress);
      const buffers = Object.values(files).map(({ buffer }) => buffer);
      await mien.#call("open", { files, card }, buffers);
      return Object.assign(mien, { card });
    } catch (error) {
      mien.#worker.terminate();
      throw error;
    }
  }

  /**
   * Read the faces of a picture, largest first.
   *
   * @param picture a File or Blob of an image, an ImageBitmap, a canvas or a video.
   * @returns {Promise<{width, height, faces, ms}>}; a RangeError where it is too large for the browser.
   */
  async read(picture) {
    return this.#show("read", picture, {});
  }

  /** Begin another video. @param choice `FILM` or `CAMERA` of follow.js. */
  async restart(choice) {
    await this.#call("restart", { choice });
  }

  /** Read the next frame of a video, shown at `time` seconds: as `read`, and each face its track. */
  async frame(picture, time) {
    return this.#show("frame", picture, { time });
  }

  async #show(call, picture, more) {
    const bitmap = await createImageBitmap(picture, EXACT);
    const { width, height } = bitmap;
    const { faces, ms } = await this.#call(call, { bitmap, ...more }, [bitmap]);
    return { width, height, faces, ms };
  }

  #call(call, values, transferred = []) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      if (this.#broken) throw this.#broken;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, call, ...values }, transferred);
    });
  }
}
