/**
 * The cards beside the picture: of each face its crop, its name, its probabilities as bars. A card
 * stays with its face from frame to frame, so that focus and selection stay too.
 */
import { drawCrop } from "./draw.js";
import { namesOf } from "./pixels.js";
import { evidenceFor } from "./regions.js";
import { classesSaid, isOpen, mapOf, numberOf, titled } from "./view.js";
import { called, percent, word } from "./words.js";

const LEAST = 0.1; // of the evidence, for a region to be named
const MOST_REGIONS = 3;

export class FaceList {
  #cards = new Map(); // by the face's number

  /**
   * @param list the <ol> to fill.
   * @param choose told the number of a face that was chosen.
   * @param heat told the label whose heat map was asked for.
   */
  constructor(list, card, { choose, heat }) {
    Object.assign(this, { list, card, choose, heat });
  }

  /** Show faces; @param view see view.js. */
  show(faces, view) {
    const shown = new Set(faces.map(numberOf));
    for (const [number, { item }] of this.#cards) {
      if (shown.has(number)) continue;
      item.remove();
      this.#cards.delete(number);
    }
    faces.forEach((face, i) => {
      const number = numberOf(face);
      if (!this.#cards.has(number)) this.#cards.set(number, this.#made(number));
      const made = this.#cards.get(number);
      if (this.list.children[i] !== made.item) this.list.insertBefore(made.item, this.list.children[i]);
      this.#fill(made, face, view);
    });
  }

  #made(number) {
    const item = element("li", "face"), head = element("button", "head", item);
    head.addEventListener("click", () => this.choose(number));
    const crop = element("canvas", "", head);
    crop.setAttribute("role", "img");
    const name = element("strong", "", head), note = element("span", "quiet", head);
    const hint = element("p", "quiet", item), list = element("ul", "bars", item);
    const bars = namesOf(this.card).map((label) => this.#bar(label, list));
    const evidence = element("p", "quiet", item);
    return { item, head, crop, name, note, hint, list, bars, evidence };
  }

  #bar(label, list) {
    const row = element("li", label === this.card.neutral ? "apart" : "", list);
    const hasMap = this.card.labels.includes(label);
    const button = element("button", "", row), name = element("span", "", button);
    const bar = element("span", "bar", button), fill = element("i", "", bar);
    bar.setAttribute("aria-hidden", "true");
    fill.style.setProperty("--colour", this.card.colours[label]);
    if (hasMap) button.addEventListener("click", () => this.heat(label));
    else button.disabled = true;
    return { label, row, button, name, fill, value: element("span", "value", button) };
  }

  #fill(made, face, view) {
    const number = numberOf(face), { card } = this, map = mapOf(face, view), open = isOpen(face, view);
    const unclear = face.label === card.uncertain, chosen = number === view.chosen;
    made.item.className = ["face", unclear && "unclear", chosen && "chosen", !view.live && "still"]
      .filter(Boolean).join(" ");
    made.item.style.setProperty("--colour", card.colours[face.label]);
    made.head.setAttribute("aria-pressed", chosen);
    made.head.setAttribute("aria-expanded", open);
    drawCrop(made.crop, face, map, card);
    made.crop.setAttribute("aria-label", word("seen"));
    made.crop.title = word("seen");
    write(made.name, titled(face, card));
    write(made.note, word("face", number));
    made.hint.hidden = !unclear;
    write(made.hint, unclear ? word("unclear") : "");
    made.list.hidden = !open;
    const said = new Set(classesSaid(face, card).map(([label]) => label));
    made.bars.forEach((bar, i) => {
      const value = face.probabilities[i];
      bar.row.classList.toggle("said", said.has(bar.label));
      write(bar.name, called(bar.label));
      write(bar.value, percent(value));
      bar.fill.style.width = `${100 * value}%`;
      bar.button.setAttribute("aria-pressed", bar.label === map);
    });
    const evidence = open ? this.#evidence(face, map, view) : "";
    made.evidence.hidden = !evidence;
    write(made.evidence, evidence);
  }

  /** What the heat map is of, and on which parts of a still face the evidence lies. */
  #evidence(face, map, view) {
    const label = map || face.expression;
    if (view.live || !face.maps) return map && word("map", called(label));
    const regions = label === face.expression ? face.regions : evidenceFor(label, face, this.card);
    return word("evidence", called(label), inWords(regions) || word("nowhere"));
  }
}

/** The regions with a tenth of the evidence or more, three at most. */
function inWords(regions) {
  const ordered = Object.entries(regions).sort((a, b) => b[1] - a[1]);
  const named = ordered.filter(([, share]) => share >= LEAST).slice(0, MOST_REGIONS);
  return named.map(([name, share]) => `${word(name)} ${percent(share)}`).join(", ");
}

function element(kind, name, parent) {
  const made = document.createElement(kind);
  if (name) made.className = name;
  if (kind === "button") made.type = "button";
  parent?.append(made);
  return made;
}

/** Change a text only where it changes: a screen reader and the browser have less to do. */
function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
