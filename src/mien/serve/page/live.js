/**
 * A film or a camera on the stage: read frame by frame, kept for the tables, recorded if wanted.
 */
import { CAMERA, FILM } from "./follow.js";
import { openCamera, Player } from "./player.js";
import { save } from "./tables.js";
import { word } from "./words.js";

const MOST_ROWS = 200_000; // frames kept; two hours of a camera
const SPEED_S = 2; // over which the frames a second are counted

export class Live {
  rows = [];
  forgotten = 0; // frames no longer kept
  #player = null;
  #recorder = null;

  /** @param parts elements of the page by their ids. @param stage a Stage. */
  constructor(mien, stage, parts) {
    Object.assign(this, { mien, stage, parts });
  }

  get running() {
    return this.#player !== null;
  }

  get frozen() {
    return this.#player?.frozen ?? false;
  }

  /** Show a film; resolves when it has ended or was stopped. */
  async film(file) {
    const { video } = this.parts, address = URL.createObjectURL(file);
    const ended = new Promise((resolve, reject) => {
      video.onended = resolve;
      video.onemptied = resolve;
      video.onerror = () => reject(new Error(file.name));
    });
    try {
      await this.#start(true, async () => {
        video.src = address;
        await video.play();
      }, ended);
      await ended;
    } finally {
      video.onended = video.onemptied = video.onerror = null;
      video.removeAttribute("src");
      URL.revokeObjectURL(address);
    }
  }

  /** Show a camera; @returns the id of the one that was opened. */
  async camera(deviceId) {
    let id;
    await this.#start(false, async () => {
      id = await openCamera(this.parts.video, deviceId);
    });
    return id;
  }

  async #start(waits, open, ended = new Promise(() => {})) {
    this.stop();
    this.rows = [];
    this.forgotten = 0;
    await this.mien.restart(waits ? FILM : CAMERA);
    this.stage.clear(true);
    this.stage.span = waits ? 0 : this.stage.span;
    const player = new Player(this.parts.video, (frame) => this.#read(frame), waits);
    player.start(); // before the first frame is shown
    await Promise.race([open(), ended]);
    this.#player = player;
  }

  async #read({ time, number }) {
    const { video } = this.parts, width = video.videoWidth, height = video.videoHeight;
    this.stage.keep(video, width, height);
    const { faces, ms } = await this.mien.frame(video, time);
    this.rows.push({ time, number, faces: faces.map(lean) });
    if (this.rows.length > MOST_ROWS) this.forgotten += this.rows.splice(0, 1).length;
    this.stage.rows = this.rows;
    this.stage.show(faces);
    this.#showSpeed(time, ms);
  }

  #showSpeed(time, ms) {
    const recent = this.rows.slice(-100).filter((row) => row.time > time - SPEED_S);
    const elapsed = time - recent[0].time;
    const rate = elapsed > 0 ? (recent.length - 1) / elapsed : 0;
    const figures = [ms.find, ms.align, ms.classify].map((value) => value.toFixed(0));
    this.parts.speed.textContent = word("speed", rate.toFixed(0), ...figures);
  }

  freeze(frozen) {
    return this.#player?.freeze(frozen);
  }

  stop() {
    if (!this.#player) return;
    this.#player.stop();
    this.#player = null;
    if (this.#recorder) this.record(false);
  }

  /** Begin to record what the stage shows, or end and save it. */
  record(wanted) {
    if (!wanted) {
      this.#recorder.stop();
      this.#recorder = null;
      return;
    }
    const parts = [], stream = this.parts.canvas.captureStream();
    const recorder = new MediaRecorder(stream, { mimeType: "video/webm" });
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = () => {
      stream.getTracks().forEach((track) => track.stop());
      save("mien.webm", new Blob(parts, { type: "video/webm" }));
    };
    recorder.start();
    this.#recorder = recorder;
  }
}

/** A face without what only the stage needs: hours of frames fit into memory. */
function lean({ gray, maps, toCrop, ...face }) {
  return face;
}
