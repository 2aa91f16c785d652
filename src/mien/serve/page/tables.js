/**
 * Results as files: CSV and JSON lines as `mien predict` and `mien video` write them.
 */

import { namesOf } from "./pixels.js";

/** @param rows {path, faces} of pictures, or {time, number, faces} of a video. */
export function asCsv(rows, card) {
  const video = rows.some(({ time }) => time !== undefined);
  const lines = rows.flatMap((row) =>
    row.faces.map((face) => [
      ...(video ? [row.time.toFixed(3), row.number, face.track] : [guarded(row.path), face.place]),
      ...boxOf(face).map((value) => real(value, 1)),
      ...[face.detection].map((value) => real(value, 4)),
      guarded(face.label),
      ...[face.confidence, ...(card.neutral ? [face.neutral] : []), ...face.scores].map((value) => real(value, 4)),
    ]));
  const header = video ? card.video_header : card.picture_header;
  return [header.map(guarded), ...lines].map((line) => line.map(quoted).join(",") + "\n").join("");
}

/** A line for each picture or frame, those without faces too. */
export function asJsonLines(rows, card) {
  return rows.map((row) => {
    const { path, width, height, time, number } = row;
    const faces = row.faces.map((face) => record(face, card));
    const start = time === undefined ? { path, width, height } : { time_s: round(time, 3), frame: number };
    return `${JSON.stringify(row.error ? { path, error: row.error } : { ...start, faces })}\n`;
  }).join("");
}

function record(face, card) {
  const scores = card.labels.map((label, i) => [label, round(face.scores[i], 4)]);
  const regions = Object.entries(face.regions).map(([name, share]) => [name, round(share, 4)]);
  return {
    ...(face.track === undefined ? {} : { track: face.track }),
    box: boxOf(face).map((value) => round(value, 1)),
    landmarks: face.landmarks.map((point) => point.map((value) => round(value, 1))),
    detection: round(face.detection, 4),
    label: face.label,
    confidence: round(face.confidence, 4),
    scores: Object.fromEntries(scores),
    neutral: round(face.neutral, 4),
    regions: Object.fromEntries(regions),
    probabilities: Object.fromEntries(namesOf(card).map((name, i) => [name, round(face.probabilities[i], 4)])),
  };
}

function boxOf({ box: { left, top, right, bottom } }) {
  return [left, top, right, bottom];
}

function round(value, digits) {
  return Number(value.toFixed(digits));
}

/** As Python prints it: 12.0, 0.5. */
function real(value, digits) {
  const text = String(round(value, digits));
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** Text that a spreadsheet would take for a formula gets an apostrophe, as in mien.media.escapes. */
function guarded(text) {
  return /^'*[=+\-@\t\r\n＝＋－＠]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
}

function quoted(value) {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Hand a file to the browser's downloads. */
export function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
