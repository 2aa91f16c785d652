/**
 * Draw a picture and what was read in it: heat maps, frames, numbers and names; as mien.show.
 */
import { inverted } from "./images.js";
import { heat } from "./pixels.js";
import { titled } from "./words.js";

const OPACITY = 0.62; // of the heat at its strongest place; the face stays visible underneath
const FADE = 1 / 8; // of the crop's side, over which the heat fades out towards its edge
const PLATE = "rgba(14, 16, 20, .82)"; // behind letters
const LIGHT = "#f5f5f5";
const LEAST_UNIT = 0.6; // pixels of the picture for one of the screen: a saved picture is legible
const ROOM = 5.5; // letters' heights that a frame needs for a name; a narrower one has its number

/**
 * Draw over a picture.
 *
 * @param canvas as large as the picture, and showing it.
 * @param faces from mien.js.
 * @param view {heat: "", "best" or a label; boxes: boolean; chosen: number of a face}.
 */
export function drawFaces(canvas, faces, view, card) {
  const context = canvas.getContext("2d");
  const unit = Math.max(LEAST_UNIT, canvas.width / (canvas.clientWidth || canvas.width));
  if (view.heat) faces.forEach((face) => drawHeat(context, face, view.heat, card));
  if (!view.boxes) return;
  faces.forEach((face) => drawBox(context, face, numberOf(face) === view.chosen, unit, card));
  faces.forEach((face) => drawName(context, face, unit, card));
}

/** The number of a face: of its track in a video, else of its place in the picture. */
export function numberOf(face) {
  return face.track ?? face.place;
}

function drawHeat(context, face, wanted, card) {
  const map = heatPicture(face, wanted, card);
  if (!map) return;
  const [a, b, c, d, x, y] = inverted(face.toCrop);
  context.save();
  context.imageSmoothingQuality = "high";
  context.transform(a, c, b, d, x + 0.5, y + 0.5); // from crop to picture, pixel centres at halves
  context.drawImage(map, -0.5, -0.5);
  context.restore();
}

/** A heat map as a small picture with its own opacity; null for a model without maps. */
export function heatPicture(face, wanted, card) {
  if (!face.maps || !wanted) return null;
  const label = wanted === "best" ? face.expression : wanted, { side } = card.input;
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

/** The number and name on a plate above the frame, or inside it where there is no room above. */
function drawName(context, face, unit, card) {
  const size = 14 * unit, { left, top, right } = face.box;
  context.font = `600 ${size}px system-ui, sans-serif`;
  const short = right - left < ROOM * size;
  const text = short ? `${numberOf(face)}` : `${numberOf(face)}  ${titled(face.named)}`;
  const width = context.measureText(text).width + size * 1.5, height = size * 1.6;
  const x = Math.min(Math.max(left, 0), Math.max(0, context.canvas.width - width));
  const y = top - height - 3 * unit < 0 ? Math.max(top, 0) + 4 * unit : top - height - 3 * unit;
  context.fillStyle = PLATE;
  context.beginPath();
  context.roundRect(x, y, width, height, size / 3);
  context.fill();
  context.fillStyle = card.colours[face.label];
  context.fillRect(x, y + height / 5, size / 4, height * 0.6);
  context.fillStyle = LIGHT;
  context.textBaseline = "middle";
  context.fillText(text, x + size * 0.75, y + height / 2);
}

/** The crop that the network saw, grey, on a canvas of its size, and the heat over it. */
export function drawCrop(canvas, face, wanted, card) {
  const { side } = card.input, image = new ImageData(side, side);
  face.gray.forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  context.putImageData(image, 0, 0);
  const map = heatPicture(face, wanted, card);
  if (map) context.drawImage(map, 0, 0);
}
