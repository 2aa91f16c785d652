/**
 * Find the faces of a picture (YuNet) and their five landmarks (ONet); as mien.faces.detect and the
 * part of OpenCV that reads YuNet's outputs. Knows nothing of expressions.
 *
 * A box is {left, top, right, bottom} in pixels of the picture.
 */
import { blank, cut, resizeArea, resizeLinear, rint } from "./images.js";

const STRIDES = [8, 16, 32]; // pixels between two places where YuNet looks, for its three sizes
const MULTIPLE = 32; // of which both sides of YuNet's input are
const LEAST_SIDE = 64; // pixels; YuNet invents faces where a side is of 32 or fewer
const OVERLAP = 0.3; // of boxes that are one face
const MOST_FACES = 5000; // before overlaps go
const ONET_SIDE = 48;

export class Detector {
  /**
   * @param networks {yunet, onet}: sessions of onnxruntime.
   * @param Tensor onnxruntime's.
   * @param settings {confidence, long_side}: faces less sure are left out; the longer side of what
   *   YuNet is shown.
   */
  constructor(networks, Tensor, settings) {
    Object.assign(this, { networks, Tensor, settings });
  }

  /** Every face: {box, landmarks, confidence}, largest first. */
  async find(picture, longSide = this.settings.long_side) {
    const boxes = await this.boxes(picture, longSide);
    const { landmarks } = await this.check(picture, boxes.map(({ box }) => box));
    return boxes.map((found, i) => ({ ...found, landmarks: landmarks[i] }));
  }

  /** The boxes alone: {box, confidence}, largest first. */
  async boxes(picture, longSide = this.settings.long_side) {
    const { width, height } = picture;
    const scale = Math.min(1, longSide / Math.max(width, height));
    const size = [Math.max(1, rint(width * scale)), Math.max(1, rint(height * scale))];
    const small = scale === 1 ? picture : resizeArea(picture, ...size);
    const rows = await this.#rows(small);
    const across = size[0] / width, down = size[1] / height;
    return rows
      .filter((row) => row.width > 0 && row.height > 0)
      .map((row) => {
        const left = row.x / across, top = row.y / down;
        const box = { left, top, right: left + row.width / across, bottom: top + row.height / down };
        return { box, confidence: row.score };
      })
      .sort((a, b) => area(b.box) - area(a.box));
  }

  async #rows(picture) {
    const width = padded(picture.width), height = padded(picture.height), plane = width * height;
    const input = new Float32Array(3 * plane); // blue, green, red; black beyond the picture
    for (let y = 0, from = 0; y < picture.height; y++) {
      for (let x = 0, to = y * width; x < picture.width; x++, to++, from += 4) {
        input[to] = picture.data[from + 2];
        input[plane + to] = picture.data[from + 1];
        input[2 * plane + to] = picture.data[from];
      }
    }
    const tensor = new this.Tensor("float32", input, [1, 3, height, width]);
    const outputs = await this.networks.yunet.run({ input: tensor });
    const rows = STRIDES.flatMap((stride) => this.#read(outputs, stride, width / stride));
    return apart(rows);
  }

  /** Read the outputs of one stride: a box for each place that is sure enough. */
  #read(outputs, stride, columns) {
    const [faces, objects, boxes] = ["cls", "obj", "bbox"].map((n) => outputs[`${n}_${stride}`].data);
    const rows = [];
    for (let i = 0; i < faces.length; i++) {
      const score = Math.fround(Math.sqrt(Math.fround(share(faces[i]) * share(objects[i]))));
      if (score < this.settings.confidence) continue;
      const row = Math.floor(i / columns), column = i % columns;
      const width = Math.fround(Math.exp(boxes[4 * i + 2]) * stride);
      const height = Math.fround(Math.exp(boxes[4 * i + 3]) * stride);
      const x = Math.fround((column + boxes[4 * i]) * stride - width / 2);
      const y = Math.fround((row + boxes[4 * i + 1]) * stride - height / 2);
      rows.push({ x, y, width, height, score });
    }
    return rows;
  }

  /** The landmarks in each box, and the probability that it holds a face, all boxes in one run. */
  async check(picture, boxes) {
    if (boxes.length === 0) return { landmarks: [], faces: [] };
    const squares = boxes.map(square), area = ONET_SIDE * ONET_SIDE;
    const batch = new Float32Array(3 * area * boxes.length);
    squares.forEach((where, n) => {
      const { data } = shown(picture, where);
      for (let i = 0; i < area; i++) {
        const turned = (i % ONET_SIDE) * ONET_SIDE + Math.floor(i / ONET_SIDE); // x and y exchanged
        for (let c = 0; c < 3; c++) batch[3 * (n * area + turned) + c] = (data[4 * i + c] - 127.5) / 128;
      }
    });
    const session = this.networks.onet, shape = [boxes.length, ONET_SIDE, ONET_SIDE, 3];
    const tensor = new this.Tensor("float32", batch, shape);
    const outputs = await session.run({ [session.inputNames[0]]: tensor });
    const points = outputs.dense_6.data, faces = outputs.softmax_2.data;
    return {
      landmarks: squares.map((where, n) => placed(points.subarray(10 * n, 10 * n + 10), where)),
      faces: squares.map((_, n) => faces[2 * n + 1]),
    };
  }
}

function area({ left, top, right, bottom }) {
  return (right - left) * (bottom - top);
}

function padded(length) {
  return Math.ceil(Math.max(length, LEAST_SIDE) / MULTIPLE) * MULTIPLE;
}

function share(value) {
  return Math.min(Math.max(value, 0), 1);
}

/** Of boxes that overlap keep the surest; OpenCV compares them in whole pixels. */
function apart(rows) {
  const kept = [];
  const ordered = [...rows].sort((a, b) => b.score - a.score).slice(0, MOST_FACES);
  for (const row of ordered) {
    const [left, top, width, height] = [row.x, row.y, row.width, row.height].map(Math.trunc);
    const whole = { left, top, right: left + width, bottom: top + height };
    if (kept.every((other) => overlap(whole, other.whole) <= OVERLAP)) kept.push({ row, whole });
  }
  return kept.map(({ row }) => row);
}

/** The area in both boxes over the area in either; 0 where they are apart. */
export function overlap(a, b) {
  const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  const both = Math.max(across, 0) * Math.max(down, 0);
  return both === 0 ? 0 : both / (area(a) + area(b) - both);
}

/** The square of the longer side about a box's centre. */
function square(box) {
  const side = Math.max(box.right - box.left, box.bottom - box.top);
  return { left: (box.left + box.right - side) / 2, top: (box.top + box.bottom - side) / 2, side };
}

/** A square cut out of the picture at ONet's size; outside the picture is black. */
function shown(picture, { left, top, side }) {
  const whole = cut(picture, rint(left), rint(top), rint(left + side), rint(top + side));
  if (whole.width < 1 || whole.height < 1) return blank(ONET_SIDE, ONET_SIDE);
  return (side > ONET_SIDE ? resizeArea : resizeLinear)(whole, ONET_SIDE, ONET_SIDE);
}

/** ONet's five x and five y -> points in the picture, left before right as seen there. */
function placed(values, { left, top, side }) {
  const points = Array.from({ length: 5 }, (_, i) =>
    [values[i] * side + left, values[5 + i] * side + top].map(Math.fround));
  for (const [a, b] of [[0, 1], [3, 4]]) {
    if (points[a][0] > points[b][0]) [points[a], points[b]] = [points[b], points[a]];
  }
  return points;
}
