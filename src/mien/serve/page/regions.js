/**
 * How the evidence in a heat map is shared among the regions of the face; as mien.faces.regions.
 *
 * The card's `regions` are {names, template}: for each place of the upright crop, row by row, the
 * index of its region. A face's own division follows its landmarks.
 */
import { carried, rescaled } from "./align.js";
import { rint } from "./images.js";
import { heat } from "./pixels.js";

/** The shares of the evidence for a label in a face, from its own maps and landmarks. */
export function evidenceFor(label, { maps, landmarks, toCrop }, { framing, input, labels, regions }) {
  const points = landmarks.map((point) => rescaled(carried(toCrop, point), framing.side / input.side));
  return shares(heat(maps, labels.indexOf(label), framing.side), points, framing, regions);
}

/** A share in [0, 1] for each region, by name; all 0 for an empty map. */
export function shares(heat, landmarks, framing, { names, template }) {
  const { side } = framing, toTemplate = affine(landmarks, framing.template);
  const outside = names.indexOf("outside"), sums = new Array(names.length).fill(0);
  for (let y = 0, i = 0; y < side; y++) {
    for (let x = 0; x < side; x++, i++) {
      const [column, row] = toTemplate.map(([a, b, c]) => rint(a * x + b * y + c));
      const inside = column >= 0 && column < side && row >= 0 && row < side;
      sums[inside ? template[row * side + column] : outside] += heat[i];
    }
  }
  const total = sums.reduce((a, b) => a + b) || 1;
  return Object.fromEntries(names.map((name, i) => [name, sums[i] / total]));
}

/** The affine map from points to others that fits best, by the normal equations: two rows of three. */
function affine(from, to) {
  const known = from.map(([x, y]) => [x, y, 1]);
  const square = [0, 1, 2].map((i) => [0, 1, 2].map((j) => sumOf(known, (p) => p[i] * p[j])));
  return [0, 1].map((axis) =>
    solved(square, [0, 1, 2].map((i) => sumOf(known, (p, n) => p[i] * to[n][axis]))));
}

function sumOf(points, term) {
  return points.reduce((sum, point, n) => sum + term(point, n), 0);
}

/** Solve three equations by Cramer's rule. */
function solved(m, right) {
  const whole = determinant(m);
  return [0, 1, 2].map((column) =>
    determinant(m.map((row, i) => row.map((v, j) => (j === column ? right[i] : v)))) / whole);
}

function determinant([[a, b, c], [d, e, f], [g, h, i]]) {
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
}
