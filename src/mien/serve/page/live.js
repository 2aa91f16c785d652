/**
 * A film or a camera on the stage: read frame by frame, kept for the tables, recorded if wanted.
 */
import { CAMERA, FILM } from "./follow.js";
import { numbered } from "./frames.js";
import { openCamera, Player } from "./player.js";
import { save } from "./tables.js";
import { word } from "./words.js";

export const RECORDED = "video/webm";
const MOST_ROWS = 200_000; // frames of a camera kept; two hours
const SPAN_S = 20; // of a camera's timeline; a film's has all of it
const PAUSE_S = 3; // between two announcements: a screen reader needs time
const SPEED_S = 2; // over which the frames a second are counted

export class Live {
  rows = [];
  forgotten = 0; // frames no longer kept
  #player = null;
  #recorder = null;
  #isFilm = false;
  #reading = null; // the frame in work
  #speed = null; // frames a second, and milliseconds of each stage
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

  /** Show a film; resolves when it has been read to its end or was stopped. */
  async film(file) {
    this.stop();
    const { video } = this.parts, address = URL.createObjectURL(file);
    let player;
    const broken = new Promise((_, reject) => {
      video.onerror = () => reject(new Error(file.name));
      video.onloadedmetadata = () => video.videoWidth === 0 && video.onerror(); // sound alone
    });
    broken.catch(() => {}); // is told where it is awaited
    try {
      player = await this.#start(true, () => (video.src = address));
      await Promise.race([player.ended, broken]);
      if (this.#player === player && this.rows.length === 0) throw new Error(file.name); // nobody stopped it
    } finally {
      if (player && this.#player === player) this.stop();
      URL.revokeObjectURL(address);
    }
  }

  /** Show a camera; @returns the id of the one that was opened. */
  async camera(deviceId) {
    let id;
    await this.#start(false, async (player) => {
      id = await openCamera(this.parts.video, deviceId, () => !player.stopped);
    });
    return id;
  }

  /** @returns the player, which something else may have stopped meanwhile. */
  async #start(waits, open) {
    this.stop();
    this.rows = [];
    this.forgotten = 0;
    this.#isFilm = waits;
    this.#summary = { text: "", time: -PAUSE_S };
    const read = (frame) => (this.#reading = this.#read(frame, player));
    const player = new Player(this.parts.video, read, waits, this.told.failed);
    this.#player = player; // before the first await: what is begun during one stops it
    try {
      await Promise.allSettled([this.#reading]); // its frame belongs to what was shown before
      await this.mien.restart(waits ? FILM : CAMERA);
      if (player.stopped) return player;
      this.stage.clear(true);
      this.stage.span = waits ? 0 : SPAN_S;
      player.start(); // before the first frame is shown
      await open(player);
    } catch (error) {
      if (this.#player === player) this.stop();
      throw error;
    }
    return player;
  }

  async #read({ time, number, picture }, player) {
    const { faces, ms } = await this.mien.frame(picture, time);
    if (player.stopped) return; // something else is shown by now
    this.rows.push({ time, number, faces: faces.map(lean) });
    if (!player.waits && this.rows.length > MOST_ROWS) this.forgotten += this.rows.splice(0, 1).length;
    this.stage.rows = this.rows;
    this.stage.keep(picture, picture.width, picture.height);
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
    this.#speed = [rate, ms.find, ms.align, ms.classify].map((value) => value.toFixed(0));
    this.saySpeed();
  }

  /** Say how fast it goes, or went, in the language that is spoken. */
  saySpeed() {
    if (this.#speed) this.parts.speed.textContent = word("speed", ...this.#speed);
  }

  /** Give the frames of a film their numbers; @returns how many the browser has skipped. */
  number() {
    if (!this.#isFilm) return 0;
    const { numbers, skipped } = numbered(this.rows.map(({ time }) => time));
    this.rows.forEach((row, i) => (row.number = numbers[i]));
    return skipped;
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
    const recorder = new MediaRecorder(stream, { mimeType: RECORDED });
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = () => {
      stream.getTracks().forEach((track) => track.stop());
      save("mien.webm", new Blob(parts, { type: RECORDED }));
    };
    recorder.start();
    this.#recorder = recorder;
  }
}

/** A face without what only the stage needs: hours of frames fit into memory. */
function lean({ gray, maps, toCrop, ...face }) {
  return face;
}
