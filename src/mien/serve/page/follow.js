/**
 * The faces of a video from frame to frame: detected now and then, followed in between; as
 * mien.faces.tracker.
 */
import { carried, similarity } from "./align.js";
import { overlap } from "./detect.js";
import { resizeArea, sparse } from "./images.js";
import { appearance, hasChanged, lightAndDark, Tracks } from "./tracks.js";

// All as in mien.faces.tracker, where they are explained; a test compares them.
const FULL = 6;
const QUICK = 3;
const QUICK_SIDE = 320;
const SURE = 0.5;
const STEP = 0.1;
const GRID = [32, 18];
const NEAR = 2;
const UNLIKE = 0.6;
const CUT = 0.25;
const MOVED = 24;
const MOVED_CELLS = 4;

/** How closely a film is searched, as Python does it; and a camera, where time is short. */
export const FILM = { every: FULL, longSide: undefined };
export const CAMERA = { every: 10, longSide: QUICK_SIDE };

export class Follower {
  searched = 0; // frames searched at full size so far
  glanced = 0; // frames searched small
  #tracks = new Tracks();
  #sinceSearch;
  #sinceGlance = QUICK;
  #before = null; // thumbnail of the last frame
  #known = null; // thumbnail of the last frame that was searched

  /**
   * @param detector finds the faces.
   * @param framing {template, side}, as align.js has it.
   * @param choice {every, longSide}: frames after which the whole picture is searched, and how
   *   large; without longSide as large as the detector's settings say.
   */
  constructor(detector, framing, choice = FILM) {
    Object.assign(this, { detector, framing, choice });
    this.#sinceSearch = choice.every;
  }

  /** The faces of the next frame, by their numbers: {track, box, landmarks, confidence}. */
  async follow(picture, time) {
    const small = thumbnail(picture);
    if (this.#before && isCut(this.#before, small)) {
      this.#tracks.end();
      this.#sinceSearch = this.choice.every;
    }
    this.#before = small;
    this.#sinceSearch++;
    this.#sinceGlance++;
    const due = this.#sinceSearch >= this.choice.every || !(await this.#allFollowed(picture, time));
    if (due || (await this.#somethingNew(picture, small))) await this.#search(picture, time, small);
    return this.#tracks.seen().map(({ number, face }) => ({ track: number, ...face }));
  }

  async #search(picture, time, small) {
    const faces = await this.detector.find(picture, this.choice.longSide);
    const observed = faces.map((face) => ({
      face,
      appearance: appearance(picture, face, this.framing),
      crowded: faces.some((other) => other !== face && overlap(face.box, other.box) > 0),
    }));
    this.#tracks.update(observed, time);
    this.searched++;
    this.#sinceSearch = this.#sinceGlance = 0;
    this.#known = small;
  }

  /** Follow every face; say whether all were found, are well apart and look as before. */
  async #allFollowed(picture, time) {
    const tracks = this.#tracks.seen();
    const expected = tracks.map((track) => track.expected(time));
    let moved = await this.#moved(picture, tracks, expected);
    if (moved.some(({ face }, i) => offset(expected[i], face.box) > STEP)) {
      moved = await this.#moved(picture, tracks, moved.map(({ face }) => face.box));
    }
    const boxes = moved.map(({ face }) => face.box);
    const meet = boxes.some((box, i) => boxes.slice(0, i).some((other) => overlap(box, other) > 0));
    if (meet || moved.some(({ sure }) => sure < SURE)) return false;
    const patterns = moved.map(({ face }) => lightAndDark(picture, face, this.framing));
    if (tracks.some((track, i) => hasChanged(track, patterns[i], time))) return false;
    tracks.forEach((track, i) => {
      track.move(moved[i].face, time);
      track.pattern = patterns[i];
    });
    return true;
  }

  async #moved(picture, tracks, boxes) {
    const { landmarks, faces } = await this.detector.check(picture, boxes);
    return tracks.map((track, i) => ({ face: movedWith(track.face, landmarks[i]), sure: faces[i] }));
  }

  /** Where something moved outside the faces, look quickly for a face that is new. */
  async #somethingNew(picture, small) {
    if (this.#sinceGlance < QUICK || !this.#known) return false;
    const boxes = this.#tracks.seen().map(({ face }) => face.box);
    if (!changed(this.#known, small, boxes, picture)) return false;
    this.glanced++;
    this.#sinceGlance = 0;
    const found = await this.detector.boxes(picture, QUICK_SIDE);
    return found.some(({ box }) => Math.max(0, ...boxes.map((b) => overlap(box, b))) < 0.3);
  }
}

/** Move a face's box as its landmarks moved. */
function movedWith({ box, landmarks, confidence }, now) {
  const matrix = similarity(landmarks, now), scale = Math.fround(Math.hypot(matrix[0], matrix[3]));
  const [x, y] = carried(matrix, [(box.left + box.right) / 2, (box.top + box.bottom) / 2]);
  const across = ((box.right - box.left) * scale) / 2, down = ((box.bottom - box.top) * scale) / 2;
  const moved = { left: x - across, top: y - down, right: x + across, bottom: y + down };
  return { box: moved, landmarks: now, confidence };
}

/** How far the centre is from where it should be, in widths. */
function offset(expected, actual) {
  const x = (actual.left + actual.right - expected.left - expected.right) / 2;
  const y = (actual.top + actual.bottom - expected.top - expected.bottom) / 2;
  return Math.hypot(x, y) / (expected.right - expected.left);
}

function thumbnail(picture) {
  const step = Math.floor(Math.min(picture.height / 72, picture.width / 128));
  return resizeArea(sparse(picture, Math.max(1, step)), ...GRID);
}

/** Whether two thumbnails are of different shots: too many cells are nowhere near. */
function isCut(before, after) {
  const [width, height] = GRID, old = pattern(before), now = pattern(after);
  let far = 0, cells = 0;
  for (let y = NEAR; y < height - NEAR; y++) {
    for (let x = NEAR; x < width - NEAR; x++) {
      cells++;
      if (!isNear(old, now, x, y)) far++;
    }
  }
  return far / cells >= CUT;
}

function isNear(old, now, x, y) {
  const from = 3 * (y * GRID[0] + x);
  for (let dy = -NEAR; dy <= NEAR; dy++) {
    for (let dx = -NEAR; dx <= NEAR; dx++) {
      const to = 3 * ((y + dy) * GRID[0] + x + dx);
      const unlike = [0, 1, 2].map((c) => Math.abs(now[to + c] - old[from + c]));
      if (Math.max(...unlike) <= UNLIKE) return true;
    }
  }
  return false;
}

/** Brightness and contrast taken away; a flat picture stays flat. */
function pattern({ data }) {
  const values = data.filter((_, i) => i % 4 < 3);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  const spread = Math.max(Math.sqrt(variance), 4);
  return Float32Array.from(values, (value) => (value - mean) / spread);
}

/** Whether the picture changed outside the faces. */
function changed(before, after, boxes, { width, height }) {
  const across = GRID[0] / width, down = GRID[1] / height;
  const faces = boxes.map((box) => ({
    left: Math.max(0, Math.trunc(box.left * across)),
    right: Math.max(0, Math.trunc(box.right * across) + 1),
    top: Math.max(0, Math.trunc(box.top * down)),
    bottom: Math.max(0, Math.trunc(box.bottom * down) + 1),
  }));
  let moved = 0;
  for (let y = 0, i = 0; y < GRID[1]; y++) {
    for (let x = 0; x < GRID[0]; x++, i += 4) {
      if (faces.some((f) => x >= f.left && x < f.right && y >= f.top && y < f.bottom)) continue;
      const most = Math.max(...[0, 1, 2].map((c) => Math.abs(before.data[i + c] - after.data[i + c])));
      if (most > MOVED) moved++;
    }
  }
  return moved >= MOVED_CELLS;
}
