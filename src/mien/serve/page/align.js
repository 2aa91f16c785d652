/**
 * From five landmarks to the upright crop that the network sees; as mien.faces.align.
 *
 * The card's `framing` is {template, side}: where the landmarks should come to lie in a crop of that
 * side; a network's own side may be another.
 */
import { clamp, resizeArea, warp } from "./images.js";

const MOST_SAMPLES = 16; // a crop pixel, each way

/**
 * The similarity transform that carries points to others: the least squares solution of Umeyama
 * 1991, in the plane a quotient of complex numbers.
 *
 * @param {number[][]} from five points.
 * @param {number[][]} to where they should lie.
 * @returns {number[]} six numbers, as `warp` takes them.
 */
export function similarity(from, to) {
  const [x, y] = mean(from), [u, v] = mean(to);
  let real = 0, imaginary = 0, size = 0;
  from.forEach(([px, py], i) => {
    const zx = px - x, zy = py - y, wx = to[i][0] - u, wy = to[i][1] - v;
    real += zx * wx + zy * wy;
    imaginary += zx * wy - zy * wx;
    size += zx * zx + zy * zy;
  });
  if (size < 1e-9) throw new Error("all five landmarks are one point: they fix no scale");
  real /= size;
  imaginary /= size;
  const shiftX = u - (real * x - imaginary * y), shiftY = v - (imaginary * x + real * y);
  return [real, -imaginary, shiftX, imaginary, real, shiftY].map(Math.fround);
}

function mean(points) {
  const sum = points.reduce(([x, y], [px, py]) => [x + px, y + py], [0, 0]);
  return sum.map((value) => value / points.length);
}

/** The transform from a picture to the crop of a face, of a side in pixels. */
export function frame(landmarks, side, { template, side: templateSide }) {
  return similarity(landmarks, template.map((point) => rescaled(point, side / templateSide)));
}

/** Where a point lies after its square is resized; pixel i has its centre at i. */
export function rescaled(point, zoom) {
  return point.map((value) => Math.fround((value + 0.5) * zoom - 0.5));
}

/** Cut the upright crop out of a picture; each of its pixels averages those under it. */
export function crop(picture, toCrop, side) {
  const scale = Math.fround(Math.hypot(toCrop[0], toCrop[3]));
  const samples = clamp(Math.ceil(1 / scale - 0.1), 1, MOST_SAMPLES);
  const matrix = toCrop.map((value) => value * samples);
  matrix[2] += (samples - 1) / 2; // pixel centres: x becomes (x + 0.5) * samples - 0.5
  matrix[5] += (samples - 1) / 2;
  return resizeArea(warp(picture, matrix, side * samples), side, side);
}

/** Where a transform carries a point. */
export function carried(m, [x, y]) {
  return [m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]];
}
