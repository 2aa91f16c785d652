/**
 * In place of mien.js: an engine without networks, which finds the faces that a test wants.
 *
 * `wanted` = [{scores, neutral, track, at}]: each has a box of 120 pixels in a row of six, the next
 * or the one that is said. Of each label the evidence lies in one row of its map, the first label's in the first; none in that of
 * `nothingFor`.
 */
import { named, namedOf, probabilitiesOf, probabilityOf } from "./pixels.js";
import { evidenceFor } from "./regions.js";

export const EXACT = {};
const ms = { find: 1, align: 1, classify: 1 };
const SIDE = 120;
window.wanted = [];
window.wantedAt = () => window.wanted; // at a time of a film

export class Mien {
  static async open() {
    return Object.assign(new Mien(), { card: await (await fetch("card.json")).json() });
  }

  async read(picture) {
    const { width, height } = await createImageBitmap(picture);
    return { width, height, faces: window.wanted.map((face, i) => made(face, i, this.card)), ms };
  }

  async restart() {}

  async frame(picture, time) {
    return { faces: window.wantedAt(time).map((face, i) => made(face, i, this.card)), ms };
  }
}

function made({ scores, neutral, track, at }, place, card) {
  const { side } = card.input, left = 20 + (at ?? place) * (SIDE + 20), top = 60;
  const scale = side / SIDE, height = card.labels.length, values = new Float32Array(height * height * height).fill(-1);
  for (let label = 0; label < height; label++) {
    if (label === window.nothingFor) continue;
    for (let column = 0; column < height; column++) values[(label * height + label) * height + column] = 3;
  }
  const face = {
    box: { left, top, right: left + SIDE, bottom: top + SIDE },
    landmarks: card.framing.template.map(([x, y]) => [left + (x * SIDE) / card.framing.side, top + (y * SIDE) / card.framing.side]),
    toCrop: [scale, 0, -left * scale, 0, scale, -top * scale],
    detection: 0.9, gray: new Uint8Array(side * side).fill(128), maps: { values, height, width: height },
    scores, neutral, ...(track === undefined ? {} : { track }), ...named(scores, neutral, card),
  };
  face.probabilities = probabilitiesOf(scores, neutral, card);
  face.probability = probabilityOf(face, face.label, card);
  face.named = namedOf(face, card);
  face.regions = evidenceFor(face.expression, face, card);
  return face;
}
