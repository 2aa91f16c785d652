/**
 * What is shown: one picture or frame, its faces, the cards beside it, the timeline below. Knows
 * nothing of where pictures come from.
 */
import { drawFaces } from "./draw.js";
import { FaceList } from "./facelist.js";
import { drawTimeline, fillKey } from "./timeline.js";
import { areMany, numberOf, titled } from "./view.js";
import { called, decimal, word } from "./words.js";

const PARTS = ["stage", "tools", "exports", "png", "right"]; // there while something is shown

export class Stage {
  view = { heat: "best", boxes: true, chosen: undefined, live: false, many: false };
  faces = [];
  rows = []; // of a video, for the timeline
  span = 0; // seconds of the timeline; 0 for all
  #back = new OffscreenCanvas(1, 1); // the picture without what is drawn over it
  #list;

  /**
   * @param parts elements of the page by their ids.
   * @param changed called when the user chose another heat map in a card.
   */
  constructor(parts, card, changed) {
    Object.assign(this, { parts, card });
    this.#list = new FaceList(parts.faces, card, {
      choose: (number) => this.choose(number),
      heat: (label) => {
        this.view.heat = this.view.heat === label ? "best" : label;
        changed();
        this.redraw();
      },
    });
    parts.canvas.addEventListener("click", (event) => this.#clicked(event));
    new ResizeObserver(() => this.redraw()).observe(parts.stage);
  }

  /** Keep the picture that is to be shown next. */
  keep(source, width, height) {
    if (this.#back.width !== width || this.#back.height !== height) {
      Object.assign(this.#back, { width, height });
    }
    const context = this.#back.getContext("2d");
    context.fillStyle = "white"; // as the engine sees what is clear
    context.fillRect(0, 0, width, height);
    context.drawImage(source, 0, 0, width, height);
  }

  /** Show what was kept, with its faces. */
  show(faces) {
    const numbers = faces.map(numberOf);
    if (!numbers.includes(this.view.chosen)) this.view.chosen = numbers[0] ?? this.view.chosen;
    this.faces = faces;
    this.view.many = areMany(faces);
    for (const name of PARTS) this.parts[name].hidden = false;
    this.parts.timeline.hidden = !this.view.live;
    this.redraw();
  }

  /** Show nothing any more: something else begins, or could not be read. */
  clear(live) {
    Object.assign(this.view, { chosen: undefined, live });
    this.faces = [];
    this.rows = [];
    for (const name of [...PARTS, "timeline"]) this.parts[name].hidden = true;
    this.parts.faces.replaceChildren();
    this.#list = new FaceList(this.parts.faces, this.card, this.#list);
  }

  choose(number) {
    this.view.chosen = number;
    this.redraw();
  }

  redraw() {
    const { canvas, none } = this.parts, { width, height } = this.#back;
    if (this.parts.stage.hidden) return;
    if (canvas.width !== width || canvas.height !== height) {
      Object.assign(canvas, { width, height });
      canvas.style.setProperty("--aspect", width / height);
    }
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    context.drawImage(this.#back, 0, 0);
    drawFaces(canvas, this.faces, this.view, this.card);
    canvas.setAttribute("aria-label", this.inWords());
    none.hidden = this.faces.length > 0;
    this.#explainHeat();
    this.#list.show(this.faces, this.view);
    if (!this.parts.timeline.hidden) this.#drawTimeline();
  }

  /** The faces in one sentence, for those who cannot see the picture. */
  inWords() {
    if (this.faces.length === 0) return word("none");
    return this.faces.map((face) => `${word("face", numberOf(face))}: ${titled(face, this.card)}`).join("; ");
  }

  /** How many faces show what, in a line. */
  summary() {
    if (this.faces.length === 0) return word("none");
    const counts = new Map();
    for (const { label } of this.faces) counts.set(label, (counts.get(label) ?? 0) + 1);
    const named = [...counts].map(([label, count]) => `${called(label)} ${count}`);
    return `${word("faces")}: ${this.faces.length} (${named.join(", ")})`;
  }

  /** Say beside the colours what a heat map means. */
  #explainHeat() {
    const { legend, meaning } = this.parts, { heat, live } = this.view;
    const known = this.faces.length > 0 || !live; // a face that is lost for a moment moves nothing
    if (known || !heat) legend.hidden = !heat || !this.faces.some(({ maps }) => maps);
    const text = word("legend", heat === "best" ? word("legend_best") : called(heat));
    if (meaning.textContent !== text) meaning.textContent = text;
  }

  #drawTimeline() {
    const { lanes, key } = this.parts, { chosen } = this.view;
    const { seconds, labels, stretches } = drawTimeline(lanes, this.rows, chosen, this.span, this.card);
    fillKey(key, labels, this.card);
    const said = stretches.map(({ label, from, to }) =>
      word("stretch", called(label), decimal(from), decimal(to)));
    const whole = word("lanes", chosen ?? "-", Math.round(seconds));
    lanes.setAttribute("aria-label", [whole, ...said].join("; "));
  }

  #clicked({ offsetX, offsetY }) {
    const { canvas } = this.parts, scale = canvas.width / canvas.clientWidth;
    const [x, y] = [offsetX * scale, offsetY * scale];
    const hit = this.faces.find(({ box }) =>
      x >= box.left && x < box.right && y >= box.top && y < box.bottom);
    if (hit) this.choose(numberOf(hit));
  }
}
