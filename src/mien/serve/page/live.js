/**
 * A film or a camera on the stage: read frame by frame, kept for the tables, recorded if wanted.
 */
import { CAMERA, FILM } from "./follow.js";
import { openCamera, Player } from "./player.js";
import { save } from "./tables.js";
import { word } from "./words.js";

const MOST_ROWS = 200_000; // frames kept; two hours of a camera
const SPAN_S = 20; // of a camera's timeline; a film's has all of it
const PAUSE_S = 3; // between two announcements: a screen reader needs time
const SPEED_S = 2; // over which the frames a second are counted

export class Live {
  rows = [];
  forgotten = 0; // frames no longer kept
  #player = null;
  #recorder = null;
  #summary = { text: "", time: -PAUSE_S };

  /**
   * @param stage a Stage.
   * @param parts elements of the page by their ids.
   * @param told {failed, changed}: told why reading has stopped; what the faces show, when that has
   *   changed, every few seconds at most.
   */
  constructor(mien, stage, parts, told) {
    Object.assign(this, { mien, stage, parts, told });
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
      await this.#start(true, () => {
        video.src = address;
        return Promise.race([video.play(), ended]);
      });
      await ended;
    } finally {
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

  async #start(waits, open) {
    this.stop();
    this.rows = [];
    this.forgotten = 0;
    this.#summary = { text: "", time: -PAUSE_S };
    await this.mien.restart(waits ? FILM : CAMERA);
    this.stage.clear(true);
    this.stage.span = waits ? 0 : SPAN_S;
    const read = (frame) => this.#read(frame, player);
    const player = new Player(this.parts.video, read, waits, this.told.failed);
    player.start(); // before the first frame is shown
    this.#player = player;
    try {
      await open();
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  async #read({ time, number }, player) {
    const { video } = this.parts, width = video.videoWidth, height = video.videoHeight;
    this.stage.keep(video, width, height);
    const { faces, ms } = await this.mien.frame(video, time);
    if (player.stopped) return; // something else is shown by now
    this.rows.push({ time, number, faces: faces.map(lean) });
    if (this.rows.length > MOST_ROWS) this.forgotten += this.rows.splice(0, 1).length;
    this.stage.rows = this.rows;
    this.stage.show(faces);
    this.#showSpeed(time, ms);
    this.#tell(time);
  }

  #tell(time) {
    const summary = this.stage.summary();
    if (summary === this.#summary.text || time < this.#summary.time + PAUSE_S) return;
    this.#summary = { text: summary, time };
    this.told.changed(summary);
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
    const player = this.#player;
    this.#player = null;
    player.stop();
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
