/**
 * Numbers that stay with a face through motion, occlusion and crossings; as mien.faces.association.
 *
 * A number is never given twice. This is no recognition of persons: it holds for seconds, within
 * one shot.
 */
import { crop, frame } from "./align.js";
import { assign } from "./assign.js";
import { clamp, cut, resizeArea, rint } from "./images.js";

// All as in mien.faces.association, where they are explained; a test compares them.
const REACH = 0.7;
const REACH_PER_S = 1.5;
const MOST_REACH = 3.0;
const GROWTH = 0.7;
const APPEARANCE_WEIGHT = 1.5;
const LIMIT = 1.2;
const ALIKE = 0.7;
const STEADY = 0.8;
const NEXT_S = 0.1;
const IMPOSSIBLE = 1000.0;
const SETTLE_S = 0.15;
const COAST_S = 0.7;
const APPEARANCE_STEP = 0.2;
const FACE_SIDE = 8;
const PATCH = 16;
const BINS = 4;
const MEMORY_S = 3.0;
const HEAD = [-0.35, 0.75]; // top and bottom of a patch, in heights of the box below its upper edge
const CLOTHES = [1.3, 2.4];

/** One face over time: {number, face, seen, appearance, velocity, hidden, pattern}. */
export class Track {
  constructor(number, face, time, appearance) {
    const begun = { velocity: [0, 0], hidden: false, pattern: null };
    Object.assign(this, { number, face, seen: time, appearance, ...begun });
  }

  /** Where it should be by now. */
  expected(time) {
    const elapsed = Math.max(0, time - this.seen);
    const coasted = COAST_S * (1 - Math.exp(-elapsed / COAST_S));
    const [x, y] = this.velocity.map((speed) => speed * coasted), { box } = this.face;
    return { left: box.left + x, top: box.top + y, right: box.right + x, bottom: box.bottom + y };
  }

  /** Note that it was seen. */
  move(face, time) {
    const elapsed = time - this.seen;
    if (elapsed > 0) {
      const before = centre(this.face.box), part = 1 - Math.exp(-elapsed / SETTLE_S);
      this.velocity = centre(face.box).map((now, i) =>
        this.velocity[i] + part * ((now - before[i]) / elapsed - this.velocity[i]));
    }
    Object.assign(this, { face, seen: time, hidden: false });
  }
}

/** All faces seen so far that may still be there. */
export class Tracks {
  list = [];
  #next = 0;

  /** Those that are not hidden. */
  seen() {
    return this.list.filter((track) => !track.hidden);
  }

  /** Forget all: what comes now are other faces. */
  end() {
    this.list = [];
  }

  /**
   * Give every face its track; tracks without a face are hidden from now on.
   *
   * @param faces {face, appearance, crowded}: all in the picture; crowded where another's box
   *   overlaps it, so that its appearance is not its own.
   */
  update(faces, time) {
    this.list = this.list.filter((track) => !track.hidden || time - track.seen <= MEMORY_S);
    const costs = faces.map((face) => this.list.map((track) => difference(track, face, time)));
    const partners = assign(costs, LIMIT);
    const known = [...this.list];
    for (const track of known) track.hidden = true;
    faces.forEach(({ face, appearance, crowded }, i) => {
      const track = known[partners[i]] ?? new Track(this.#next++, face, time, appearance);
      if (partners[i] < 0) this.list.push(track);
      track.move(face, time);
      track.pattern = crowded ? null : patternOf(appearance);
      if (!crowded) track.appearance = blend(track.appearance, appearance);
    });
  }
}

/** How little a face is like a track: 0 for the place, size and appearance expected. */
function difference(track, { face, appearance, crowded }, time) {
  const expected = track.expected(time), { box } = face;
  const hidden = Math.max(0, time - track.seen);
  const reach = Math.min(REACH + REACH_PER_S * hidden, MOST_REACH) * side(expected);
  const [x, y] = centre(box), [u, v] = centre(expected);
  const place = Math.hypot(x - u, y - v) / reach;
  const size = Math.abs(Math.log(side(box) / side(expected))) / GROWTH;
  const similar = track.appearance.reduce((sum, value, i) => sum + value * appearance[i], 0);
  const inDoubt = track.hidden || hasChanged(track, patternOf(appearance), time);
  const stranger = inDoubt && !crowded && similar < ALIKE;
  if (place > 1 || size > 1 || stranger) return IMPOSSIBLE;
  return 0.5 * place + 0.2 * size + APPEARANCE_WEIGHT * (1 - similar);
}

/** Whether a face looks unlike itself in the frame before: another person may be in its place. */
export function hasChanged({ pattern, seen }, now, time) {
  if (pattern === null || time - seen > NEXT_S) return false;
  return pattern.reduce((sum, value, i) => sum + value * now[i], 0) < STEADY;
}

function patternOf(appearance) {
  const part = appearance.slice(0, FACE_SIDE * FACE_SIDE), length = Math.hypot(...part);
  return part.map((value) => value / length);
}

function centre({ left, top, right, bottom }) {
  return [(left + right) / 2, (top + bottom) / 2];
}

function side({ left, top, right, bottom }) {
  return Math.sqrt((right - left) * (bottom - top));
}

function blend(old, fresh) {
  const mixed = old.map((value, i) => value + APPEARANCE_STEP * (fresh[i] - value));
  const length = Math.hypot(...mixed);
  return mixed.map((value) => value / length);
}

/** What a face looks like: a vector of length 1. The dot product of two is their similarity. */
export function appearance(picture, face, framing) {
  const head = colours(patch(picture, face.box, HEAD));
  const clothes = colours(patch(picture, face.box, CLOTHES));
  const parts = [lightAndDark(picture, face, framing), head, clothes];
  return parts.flat().map((value) => value / Math.sqrt(parts.length));
}

/** The pattern of the upright face, whatever the brightness: mean 0, length 1. */
export function lightAndDark(picture, face, framing) {
  const whole = crop(picture, frame(face.landmarks, framing.side, framing), framing.side);
  const { data } = resizeArea(whole, FACE_SIDE, FACE_SIDE);
  const gray = Array.from({ length: FACE_SIDE * FACE_SIDE }, (_, i) => // OpenCV's luma
    (data[4 * i] * 9798 + data[4 * i + 1] * 19235 + data[4 * i + 2] * 3735 + (1 << 14)) >> 15);
  const mean = gray.reduce((a, b) => a + b) / gray.length;
  const centred = gray.map((value) => value - mean), length = Math.hypot(...centred);
  return centred.map((value) => (length < 1e-3 ? 1 / FACE_SIDE : value / length));
}

/** Square roots of the shares of colours, so that the vector has length 1. */
function colours({ data }) {
  const counts = new Array(BINS ** 3).fill(0);
  for (let i = 0; i < data.length; i += 4) {
    counts[(data[i] >> 6) + BINS * (data[i + 1] >> 6) + BINS * BINS * (data[i + 2] >> 6)]++;
  }
  return counts.map((count) => Math.sqrt((4 * count) / data.length));
}

/** The part of the picture between two heights of a box, made small; at least one pixel of it. */
function patch(picture, box, [top, bottom]) {
  const { width, height } = picture, tall = box.bottom - box.top;
  const y0 = rint(clamp(box.top + top * tall, 0, height - 1));
  const y1 = rint(clamp(box.top + bottom * tall, y0 + 1, height));
  const x0 = rint(clamp(box.left, 0, width - 1));
  const x1 = rint(clamp(box.right, x0 + 1, width));
  return resizeArea(cut(picture, x0, y0, x1, y1), PATCH, PATCH);
}
