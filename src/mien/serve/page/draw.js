/**
 * Draw a picture and what was read in it: heat maps, frames, numbers and names; as mien.show.
 */
import { inverted } from "./images.js";
import { heat } from "./pixels.js";
import { classesSaid, mapOf, numberOf, titled } from "./view.js";
import { called, word } from "./words.js";

const OPACITY = 0.62; // of the heat at its strongest place; the face stays visible underneath
const FADE = 1 / 32; // of the crop's side, over which the heat ends at its edge: softly, hiding little
const PLATE = "rgba(14, 16, 20, .82)"; // behind letters
const LIGHT = "#f5f5f5";
const LEAST_UNIT = 0.6; // pixels of the picture for one of the screen: a saved picture is legible
const SIZE = 14; // of letters, in pixels of the screen
const LINE = 1.6; // of letters' heights
const ROOM = 5.5; // letters' heights that a frame needs for a name; a narrower one has its number

/**
 * Draw over a picture.
 *
 * @param canvas as large as the picture, and showing it.
 * @param faces from mien.js.
 * @param view see view.js.
 */
export function drawFaces(canvas, faces, view, card) {
  const context = canvas.getContext("2d");
  context.direction = "ltr";
  const unit = Math.max(LEAST_UNIT, canvas.width / (canvas.clientWidth || canvas.width));
  faces.forEach((face) => drawHeat(context, face, mapOf(face, view), card));
  if (!view.boxes) return;
  faces.forEach((face) => drawBox(context, face, isChosen(face, view), unit, card));
  drawNames(context, faces, view, unit, card);
}

function isChosen(face, view) {
  return numberOf(face) === view.chosen;
}

function drawHeat(context, face, label, card) {
  const map = heatPicture(face, label, card);
  if (!map) return;
  const [a, b, c, d, x, y] = inverted(face.toCrop);
  context.save();
  context.imageSmoothingQuality = "high";
  context.transform(a, c, b, d, x + 0.5, y + 0.5); // from crop to picture, pixel centres at halves
  context.drawImage(map, -0.5, -0.5);
  context.restore();
}

/** The heat map of a label as a small picture with its own opacity; null without a label. */
function heatPicture(face, label, card) {
  if (!label) return null;
  const { side } = card.input;
  const strength = heat(face.maps, card.labels.indexOf(label), side);
  const image = new ImageData(side, side);
  for (let y = 0, i = 0; y < side; y++) {
    for (let x = 0; x < side; x++, i++) {
      const value = strength[i] * rise(x, side) * rise(y, side);
      image.data.set(card.heat[Math.round(255 * value)], 4 * i);
      image.data[4 * i + 3] = 255 * OPACITY * value;
    }
  }
  const canvas = new OffscreenCanvas(side, side);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** 1 inside, falling to 0 at the edge as half a cosine. */
function rise(place, side) {
  const part = Math.min(place, side - 1 - place) / (FADE * side);
  return part >= 1 ? 1 : 0.5 - 0.5 * Math.cos(Math.PI * part);
}

function drawBox(context, face, chosen, unit, card) {
  const { left, top, right, bottom } = face.box, width = right - left;
  context.beginPath();
  context.roundRect(left, top, width, bottom - top, Math.min(10 * unit, width / 6));
  context.setLineDash(face.label === card.uncertain ? [6 * unit, 4 * unit] : []);
  context.lineWidth = (chosen ? 6 : 4.5) * unit;
  context.strokeStyle = PLATE;
  context.stroke();
  context.lineWidth = (chosen ? 4 : 2.5) * unit;
  context.strokeStyle = card.colours[face.label];
  context.stroke();
  context.setLineDash([]);
}

/** The name of each face on a plate, a shorter one where it would cover another; the chosen one's first. */
function drawNames(context, faces, view, unit, card) {
  const ordered = [...faces].sort((a, b) => isChosen(b, view) - isChosen(a, view));
  const choices = ordered.map((face) =>
    texts(face, mapOf(face, view), unit, card).map((lines) => plate(context, face, lines, unit)));
  const placed = choices.map((plates) => plates.at(-1)); // all have at least their numbers
  ordered.forEach((face, i) => {
    const others = placed.filter((_, n) => n !== i);
    placed[i] = choices[i].find((one) => !others.some((other) => overlap(one, other))) ?? placed[i];
    drawPlate(context, placed[i], unit, card.colours[face.label]);
  });
}

/**
 * What a plate may say, in lines, the most first: number, name and probability. Below is said what the
 * heat map is of, where the name does not say it. A narrow frame has its number alone.
 */
function texts(face, map, unit, card) {
  const number = `${numberOf(face)}`, { left, right } = face.box;
  if (right - left < ROOM * SIZE * unit) return [[number]];
  const below = (said) => (!map || said.includes(map) ? [] : [word("map", called(map))]);
  return [
    [`${number}  ${titled(face, card)}`, ...below(classesSaid(face, card).map(([label]) => label))],
    [`${number}  ${called(face.label)}`, ...below([face.label])],
    [number],
  ];
}

/** A plate above the frame, or inside it where there is no room above. */
function plate(context, { box: { left, top } }, lines, unit) {
  const size = SIZE * unit, height = lines.length * LINE * size, gap = 3 * unit;
  context.font = `600 ${size}px system-ui, sans-serif`;
  const width = Math.max(...lines.map((text) => context.measureText(text).width)) + size * 1.5;
  const x = Math.min(Math.max(left, 0), Math.max(0, context.canvas.width - width));
  const y = top - height - gap < 0 ? Math.max(top, 0) + 4 * unit : top - height - gap;
  return { x, y, width, height, lines };
}

function overlap(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function drawPlate(context, { x, y, width, height, lines }, unit, colour) {
  const size = SIZE * unit;
  context.fillStyle = PLATE;
  context.beginPath();
  context.roundRect(x, y, width, height, size / 3);
  context.fill();
  context.fillStyle = colour;
  context.fillRect(x, y + height / 5, size / 4, height * 0.6);
  context.fillStyle = LIGHT;
  context.textBaseline = "middle";
  lines.forEach((text, i) => context.fillText(text, x + size * 0.75, y + (i + 0.5) * LINE * size));
}

/** The crop that the network saw, grey, on a canvas of its size, and the heat map of a label over it. */
export function drawCrop(canvas, face, label, card) {
  const { side } = card.input, image = new ImageData(side, side);
  face.gray.forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  context.putImageData(image, 0, 0);
  const map = heatPicture(face, label, card);
  if (map) context.drawImage(map, 0, 0);
}
