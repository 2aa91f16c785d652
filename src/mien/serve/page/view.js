/**
 * What is shown of each face: its name, whether its card is open, whose heat map lies over it.
 *
 * A view is {heat: "", "best" or a label; boxes: boolean; chosen: number of a face; live: whether
 * faces change all the time; many: whether only the chosen one's card is open}.
 */
import { called, percent, word } from "./words.js";

const MOST_OPEN = 4; // faces; of more, only the chosen one shows its bars

/** The number of a face: of its track in a video, else of its place in the picture. */
export function numberOf(face) {
  return face.track ?? face.place;
}

/** Whether there are too many faces for all cards to be open. */
export function areMany(faces) {
  return faces.length > MOST_OPEN;
}

export function isOpen(face, view) {
  return !view.many || numberOf(face) === view.chosen;
}

/**
 * The label whose heat map lies over a face; "" where none does. A calm or uncertain face whose card
 * is closed has none but the one that was asked for: nothing would say which expression it is of.
 */
export function mapOf(face, view) {
  if (!view.heat || !face.maps) return "";
  if (view.heat !== "best") return view.heat;
  return face.label === face.expression || isOpen(face, view) ? face.expression : "";
}

/** What the name of a face says, in pairs of label and probability; of an uncertain one its expression. */
export function classesSaid({ named, expression }, card) {
  return named.map(([label, part]) => [label === card.uncertain ? expression : label, part]);
}

/** What a face is called, and how probable that is: "sadness 28%", "uncertain: sadness 22%, neutral 44%". */
export function titled(face, card) {
  const said = classesSaid(face, card).map(([label, part]) => share(label, part)).join(", ");
  return face.label === card.uncertain ? word("unsure", called(face.label), said) : said;
}

/** A name and how probable it is; behind letters from right to left a mark keeps number and % together. */
function share(label, part) {
  const name = called(label), mark = /[\p{Script=Arabic}\p{Script=Hebrew}]$/u.test(name) ? "\u200e" : "";
  return `${name} ${mark}${percent(part)}`;
}
