/**
 * The faces of a video over time: the probabilities of one as lines, and below a lane for each
 * face, in the colours of what it showed; as mien.show.timeline.
 */
import { namesOf } from "./pixels.js";
import { called } from "./words.js";

const LANE = 14; // CSS pixels
const CURVES = 92;
const EDGE = 10;
const NAMES = 36; // for the numbers of the faces
const MOST_LANES = 12;
const MOST_STRETCHES = 20; // that are said; the last ones
const HATCH = 6; // between two lines of what is uncertain
const GRID = "#ffffff22";
const QUIET = "#b9bec8";

/**
 * Draw the timeline.
 *
 * @param rows {time, faces}, in order.
 * @param chosen number of the face whose lines are drawn.
 * @param span seconds to show, up to the last row; 0 shows all.
 * @returns {{seconds: number, labels: string[], stretches: {label, from, to}[]}} what is shown: how
 *   long, what the faces with lanes are called, when the chosen one is called what.
 */
export function drawTimeline(canvas, rows, chosen, span, card) {
  const end = rows.at(-1)?.time ?? 0, begin = span ? Math.max(rows[0]?.time ?? 0, end - span) : 0;
  const all = rows.slice(firstFrom(rows, begin));
  const step = Math.ceil(all.length / (2 * canvas.clientWidth)); // more than can be seen
  const seen = step > 1 ? all.filter((_, i) => i % step === 0) : all;
  const faces = all.flatMap((row) => row.faces), tracks = new Set(faces.map(({ track }) => track));
  const shown = [...tracks].sort((a, b) => a - b).slice(-MOST_LANES);
  const context = sized(canvas, CURVES + 2 * EDGE + shown.length * LANE + EDGE);
  const width = canvas.clientWidth - NAMES - EDGE;
  const x = (time) => NAMES + (width * (time - begin)) / Math.max(end - begin, span, 1);
  drawGrid(context, width);
  for (const name of namesOf(card)) {
    drawCurve(context, seen, chosen, x, card, name);
  }
  shown.forEach((track, i) => {
    const y = CURVES + 2 * EDGE + i * LANE;
    context.fillStyle = track === chosen ? "#ffffff" : QUIET;
    context.fillText(String(track), NAMES - 8, y + LANE / 2);
    drawLane(context, seen, track, x, y, card);
  });
  const said = new Set(faces.filter(({ track }) => shown.includes(track)).map(({ label }) => label));
  const labels = [...namesOf(card), card.uncertain].filter((label) => said.has(label));
  return { seconds: end - begin, labels, stretches: stretchesOf(all, chosen).slice(-MOST_STRETCHES) };
}

/** When a face is called what: it lasts until the next row, and ends where the face is not seen. */
function stretchesOf(rows, chosen) {
  const stretches = [];
  let open = null;
  for (const { time, faces } of rows) {
    const label = faces.find(({ track }) => track === chosen)?.label;
    if (open) open.to = time;
    if (open?.label === label) continue;
    open = label === undefined ? null : { label, from: time, to: time };
    if (open) stretches.push(open);
  }
  return stretches;
}

/** Name the colours of the lanes below them. */
export function fillKey(list, labels, card) {
  const texts = labels.map((label) => called(label));
  if ([...list.children].map((item) => item.textContent).join() === texts.join()) return;
  list.replaceChildren(...labels.map((label, i) => {
    const item = document.createElement("li");
    item.textContent = texts[i];
    item.className = label === card.uncertain ? "unclear" : "";
    item.style.setProperty("--colour", card.colours[label]);
    return item;
  }));
}

/** The index of the first row that is not before a time. */
function firstFrom(rows, time) {
  let low = 0, high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].time < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Make a canvas as sharp as the screen, and clear it. */
function sized(canvas, height) {
  const scale = devicePixelRatio || 1, width = Math.round(canvas.clientWidth * scale);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== Math.round(height * scale)) {
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, canvas.clientWidth, height);
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "right";
  context.textBaseline = "middle";
  return context;
}

function drawGrid(context, width) {
  context.fillStyle = QUIET;
  context.strokeStyle = GRID;
  context.lineWidth = 1;
  for (const part of [0, 0.5, 1]) {
    const y = height(part);
    context.beginPath();
    context.moveTo(NAMES, y);
    context.lineTo(NAMES + width, y);
    context.stroke();
    context.fillText(String(100 * part), NAMES - 6, y);
  }
}

function height(probability) {
  return EDGE + CURVES * (1 - probability);
}

function drawCurve(context, rows, chosen, x, card, name) {
  const index = namesOf(card).indexOf(name);
  context.strokeStyle = card.colours[name];
  context.lineWidth = 1.75;
  context.setLineDash(name === card.neutral ? [3, 3] : []);
  context.beginPath();
  let down = false;
  for (const { time, faces } of rows) {
    const face = faces.find(({ track }) => track === chosen);
    if (face) {
      const y = height(face.probabilities[index]);
      if (down) context.lineTo(x(time), y);
      else context.moveTo(x(time), y);
    }
    down = Boolean(face);
  }
  context.stroke();
  context.setLineDash([]);
}

function drawLane(context, rows, track, x, y, card) {
  const hatched = hatch(context, card.colours[card.uncertain]);
  rows.forEach(({ time, faces }, i) => {
    const face = faces.find((other) => other.track === track);
    if (!face) return;
    const next = rows[i + 1]?.time ?? time;
    context.fillStyle = face.label === card.uncertain ? hatched : card.colours[face.label];
    context.fillRect(x(time), y + 2, Math.max(1, x(next) - x(time) + 0.5), LANE - 4);
  });
}

/** A colour in slanting lines, as the sign of an uncertain face has it. */
function hatch(context, colour) {
  const tile = new OffscreenCanvas(HATCH, HATCH), lines = tile.getContext("2d");
  lines.strokeStyle = colour;
  lines.lineWidth = HATCH / 3;
  lines.lineCap = "square";
  for (const shift of [-HATCH, 0, HATCH]) { // the corners belong to the next lines
    lines.moveTo(shift, HATCH);
    lines.lineTo(shift + HATCH, 0);
  }
  lines.stroke();
  return context.createPattern(tile, "repeat");
}
