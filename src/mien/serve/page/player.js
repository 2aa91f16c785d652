/**
 * A film or a camera, frame by frame: one frame is read at a time, from a copy made when it is shown.
 *
 * A film waits while a frame is read. A busy browser shows some frames too shortly to tell of them:
 * the film then steps back to the first of these, and goes on more slowly. A camera does not wait,
 * and frames that come meanwhile are not read.
 *
 * Firefox tells of a frame up to a refresh of the screen before it shows it, and gives one to which
 * a film has gone the time where it was sent, not its own. So a frame is copied once it is shown, and
 * a film steps back to the frame that was read last, whose time is known, and goes on from there.
 */
import { EXACT } from "./mien.js";

const FIRST_MS = 1000; // for a film's first frame before it plays; some browsers show none before
const LAST_MS = 250; // for its last frame, of which a browser may tell after the film has ended
const BACK_MS = 1000; // for a frame to which a film steps back
const FIREFOX = navigator.userAgent.includes("Firefox/");
const TARGET = FIREFOX ? 0.5 : 1.5; // of a film that steps back, in gaps between frames after the last one
const SAME_S = 1e-4; // times of frames are rounded
const ROUNDED_MS = 1; // of all other times
const SLOWER = 0.6; // after a frame was skipped
const FASTER = 1.02; // after one that was not
const SLOWEST = 1 / 8;
const READY = ["loadeddata", "seeked", "canplay"]; // when a frame may have become readable

export class Player {
  frozen = false;
  stopped = false;
  #over = new AbortController(); // ends what listens
  #waiting = []; // {time, number, picture}: frames of a film that were shown, and are not read yet
  #busy = false;
  #first = null; // {seconds, number} of the first frame
  #last = null; // of the last one, `until` when it is shown; `next` came too early after it
  #step = Infinity; // the fewest seconds between two frames
  #steady = true; // whether it has been the same between all frames
  #back = null; // while a film steps back: its timer, and seconds of the frame that came too early
  #stepsBack = true; // whether the film can
  #told = null; // a frame that is shown only in a moment
  #end;

  /**
   * @param video the element that plays.
   * @param read told {time, number, picture}: seconds from the first frame, frames of a camera shown
   *   before, an ImageBitmap; may take its time.
   * @param waits whether the video can wait.
   * @param failed told why a frame could not be read; the player has stopped then.
   */
  constructor(video, read, waits, failed) {
    Object.assign(this, { video, read, waits, failed });
    /** Resolves when the last frame of a film has been read, or the player was stopped. */
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  /** Begin, before the video has its source: no frame is missed then. */
  start() {
    this.#listen();
    this.video.defaultPlaybackRate = this.video.playbackRate = 1;
    if (!this.waits) return;
    const { signal } = this.#over;
    this.video.addEventListener("ended", () => this.#goOn(), { signal });
    document.addEventListener("visibilitychange", () => this.#goOn(), { signal });
    setTimeout(() => this.#first ?? this.#goOn(), FIRST_MS);
  }

  /** Hold the frame that is shown, or go on. */
  freeze(frozen) {
    this.frozen = frozen;
    if (frozen && this.waits) this.video.pause();
    return this.#work();
  }

  stop() {
    const { video } = this;
    this.stopped = true;
    this.#over.abort();
    this.#end();
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
    video.removeAttribute("src");
    video.load(); // lets go of the film
  }

  #listen() {
    this.video.requestVideoFrameCallback((now, frame) => {
      if (this.stopped) return;
      this.#listen();
      const early = FIREFOX ? frame.expectedDisplayTime - performance.now() : 0;
      const shows = () => this.#shows(now, frame), before = this.#told;
      clearTimeout(before?.timer);
      if (early <= ROUNDED_MS) return shows();
      before?.shows(); // its picture is still there
      this.#told = { shows, timer: setTimeout(shows, early + ROUNDED_MS) };
    });
  }

  /** The video shows a frame of which the browser has told. */
  #shows(now, { mediaTime, presentedFrames }) {
    this.#told = null;
    if (this.stopped) return;
    if (this.waits) this.#comes(mediaTime, presentedFrames);
    else if (!this.#busy && !this.frozen) this.#take(now / 1000, presentedFrames); // it may have no clock
  }

  /** A frame of a film was shown. */
  #comes(seconds, number) {
    const last = this.#last;
    if (last && seconds <= last.until) return this.#comesAgain(seconds, number);
    if (seconds >= this.#back?.seconds) return (last.number = number); // was on its way, and comes again
    const skipped = last && !this.#back ? this.#skipped(seconds, number) : 0;
    if (skipped > 0 && this.#stepsBack && !last.next) return this.#stepBack(seconds, number, skipped);
    if (last) this.#step = Math.min(this.#step, seconds - last.seconds);
    this.#setRate(FASTER);
    if (FIREFOX && skipped > 0 && seconds === last.next) this.#steady = false; // again: none is between
    this.#last = { seconds, number, until: seconds };
    this.#endBack();
    if (this.#busy || this.frozen) this.video.pause();
    this.#take(seconds, number);
  }

  /** A frame that was read before: a film that steps back has found none after it. */
  #comesAgain(seconds, number) {
    this.#last.number = number;
    if (!this.#back) return;
    if (seconds < this.#last.seconds) this.#stepsBack = false; // it cannot go where it should
    else if (!FIREFOX) this.#steady = false;
    this.#endBack();
    this.#goOn();
  }

  /** How many frames a browser has shown and not told of; or not even shown, in a film of one rate. */
  #skipped(seconds, number) {
    const steps = this.#steady ? Math.round((seconds - this.#last.seconds) / this.#step) : 0;
    return Math.max(steps, number - this.#last.number) - 1;
  }

  #stepBack(seconds, number, skipped) {
    const { video } = this, last = this.#last;
    const gap = Math.min((seconds - last.seconds) / (skipped + 1), this.#step);
    const target = last.seconds + TARGET * gap;
    Object.assign(last, { number, next: seconds });
    if (FIREFOX) last.until = target + SAME_S;
    const goOn = () => {
      this.#endBack();
      this.#goOn();
    };
    this.#back = { seconds, timer: setTimeout(goOn, BACK_MS) };
    this.#setRate(SLOWER);
    video.pause();
    video.currentTime = target;
  }

  #endBack() {
    clearTimeout(this.#back?.timer);
    this.#back = null;
  }

  #setRate(factor) {
    const rate = Math.min(Math.max(this.video.playbackRate * factor, SLOWEST), 1);
    if (rate !== this.video.playbackRate) this.video.playbackRate = rate;
  }

  #take(seconds, number) {
    this.#first ??= { seconds, number };
    const picture = copied(this.video);
    picture.catch(() => {}); // is told where it is awaited
    this.#waiting.push({ time: seconds - this.#first.seconds, number: number - this.#first.number, picture });
    this.#work();
  }

  async #work() {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#waiting.length && !this.frozen && !this.stopped) {
      const frame = this.#waiting.shift();
      try {
        const picture = await frame.picture;
        if (!this.stopped) await this.read({ ...frame, picture });
        picture.close();
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#busy = false;
    if (this.waits) this.#goOn();
  }

  /** Play on, or end, once all frames that came have been read. */
  async #goOn() {
    const { video } = this;
    if (this.stopped) return;
    if (document.hidden) return video.pause(); // nobody is told of the frames of a hidden page
    if (this.#busy || this.#back || this.frozen) return;
    if (!video.ended) return video.play().catch((error) => error.name === "AbortError" || this.#fail(error));
    await new Promise((resolve) => setTimeout(resolve, LAST_MS));
    if (!this.#busy && !this.#back && !this.frozen) this.#end();
  }

  #fail(error) {
    if (this.stopped) return; // the frame was gone before it was read
    this.stop();
    this.failed(error);
  }
}

/** A copy of the frame that is shown, once it can be read: a browser may tell of it a moment before. */
async function copied(video) {
  while (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) {
    await new Promise((resolve) =>
      READY.forEach((event) => video.addEventListener(event, resolve, { once: true })));
  }
  return createImageBitmap(video, EXACT);
}

/**
 * Open a camera: by its id, or the one the browser prefers.
 *
 * @param isWanted whether it still is: the user may do something else while the browser asks.
 * @returns the id of the one that was opened.
 */
export async function openCamera(video, deviceId, isWanted) {
  const wanted = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };
  if (deviceId) wanted.deviceId = { exact: deviceId };
  else wanted.facingMode = "user";
  const stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
  if (!isWanted()) {
    for (const track of stream.getTracks()) track.stop();
    throw new Error("something else is shown by now");
  }
  video.srcObject = stream; // from here on it is the player that stops it
  await video.play();
  return stream.getVideoTracks()[0].getSettings().deviceId;
}

/** The cameras there are: {id, name}. */
export async function cameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter(({ kind }) => kind === "videoinput")
    .map(({ deviceId, label }, i) => ({ id: deviceId, name: label || String(i + 1) }));
}
