/**
 * The cards beside the picture: of each face its crop, its name, its probabilities as bars. A card
 * stays with its face from frame to frame, so that focus and selection stay too.
 */
import { drawCrop, numberOf } from "./draw.js";
import { namesOf } from "./pixels.js";
import { called, percent, titled, word } from "./words.js";

const LEAST = 0.1; // of the evidence, for a region to be named
const MOST_REGIONS = 3;
const MOST_OPEN = 4; // faces; of more, only the chosen one shows its bars

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

  /** Show faces; @param view as drawFaces has it, and `live`, whether they change all the time. */
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
      const open = faces.length <= MOST_OPEN || number === view.chosen;
      made.list.hidden = !open;
      made.evidence.hidden ||= !open;
      made.head.setAttribute("aria-expanded", open);
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
    return { label, button, name, fill, value: element("span", "value", button) };
  }

  #fill(made, face, view) {
    const number = numberOf(face), { card } = this;
    const unclear = face.label === card.uncertain, chosen = number === view.chosen;
    made.item.className = ["face", unclear && "unclear", chosen && "chosen", !view.live && "still"]
      .filter(Boolean).join(" ");
    made.item.style.setProperty("--colour", card.colours[face.label]);
    made.head.setAttribute("aria-pressed", chosen);
    drawCrop(made.crop, face, view.heat, card);
    made.crop.setAttribute("aria-label", word("seen"));
    made.crop.title = word("seen");
    write(made.name, titled(face.named));
    write(made.note, word("face", number));
    made.hint.hidden = !unclear;
    const [[, value], calm] = face.named, [likely, part] = calm ?? [face.expression, value];
    write(made.hint, unclear ? word("best", called(likely), percent(part)) : "");
    made.bars.forEach((bar, i) => {
      const value = face.probabilities[i];
      write(bar.name, called(bar.label));
      write(bar.value, percent(value));
      bar.fill.style.width = `${100 * value}%`;
      const wanted = view.heat === "best" ? face.expression : view.heat;
      bar.button.setAttribute("aria-pressed", bar.label === wanted);
    });
    const regions = view.live ? "" : inWords(face.regions);
    made.evidence.hidden = !regions;
    write(made.evidence, regions && word("evidence", called(face.expression), regions));
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
