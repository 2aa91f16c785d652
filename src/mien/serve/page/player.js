/**
 * A film or a camera, frame by frame: one frame is read at a time.
 *
 * A film waits while a frame is read, so that none is lost; a camera does not wait, and frames that
 * come meanwhile are not read.
 */

export class Player {
  frozen = false;
  stopped = false;
  #busy = false;
  #late = null; // the frame on which a film waits
  #first = null;

  /**
   * @param video the element that plays.
   * @param read told {time, number}: seconds from the first frame, frames shown before; may take
   *   its time.
   * @param waits whether the video can wait.
   * @param failed told why a frame could not be read; the player has stopped then.
   */
  constructor(video, read, waits, failed) {
    Object.assign(this, { video, read, waits, failed });
  }

  start() {
    this.video.requestVideoFrameCallback((now, frame) => {
      if (this.stopped) return;
      this.start();
      this.#shown(now, frame);
    });
  }

  /** Hold the frame that is shown, or go on. */
  async freeze(frozen) {
    this.frozen = frozen;
    if (!this.waits) return;
    if (frozen) this.video.pause();
    else await this.video.play();
  }

  stop() {
    const { video } = this;
    this.stopped = true;
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
    video.removeAttribute("src");
    video.load(); // lets go of the film
  }

  async #shown(now, frame) {
    if (this.frozen) return;
    if (this.#busy) {
      if (this.waits) {
        this.#late = [now, frame];
        this.video.pause();
      }
      return;
    }
    const seconds = this.waits ? frame.mediaTime : now / 1000; // a camera's own clock may be absent
    this.#first ??= { seconds, number: frame.presentedFrames };
    this.#busy = true;
    const number = frame.presentedFrames - this.#first.number;
    try {
      await usable(this.video);
      if (this.stopped) return; // the frame is another one's
      await this.read({ time: seconds - this.#first.seconds, number });
    } catch (error) {
      if (this.stopped) return; // the frame was gone before it was read
      this.stop();
      this.failed(error);
    }
    this.#busy = false;
    const late = this.#late;
    this.#late = null;
    if (!late || this.stopped) return;
    await this.#shown(...late);
    if (!this.frozen && !this.stopped && !this.video.ended && !this.#late) await this.video.play();
  }
}

/** Wait until a video's frame can be read: a browser may show the first one a moment before. */
async function usable(video) {
  if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) return;
  await new Promise((resolve) => video.addEventListener("loadeddata", resolve, { once: true }));
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
