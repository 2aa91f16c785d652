/**
 * What is shown: one picture or frame, its faces, the cards beside it, the timeline below. Knows
 * nothing of where pictures come from.
 */
import { drawFaces, numberOf } from "./draw.js";
import { FaceList } from "./facelist.js";
import { drawTimeline } from "./timeline.js";
import { called, titled, word } from "./words.js";

export class Stage {
  view = { heat: "best", boxes: true, chosen: undefined, live: false };
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
    this.#back.getContext("2d").drawImage(source, 0, 0, width, height);
  }

  /** Show what was kept, with its faces. */
  show(faces) {
    const numbers = faces.map(numberOf);
    if (!numbers.includes(this.view.chosen)) this.view.chosen = numbers[0] ?? this.view.chosen;
    this.faces = faces;
    for (const name of ["stage", "tools", "exports", "right"]) this.parts[name].hidden = false;
    this.redraw();
  }

  /** Begin with something else. */
  clear(live) {
    Object.assign(this.view, { chosen: undefined, live });
    this.faces = [];
    this.rows = [];
    this.parts.timeline.hidden = !live;
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
    this.#list.show(this.faces, this.view);
    if (!this.parts.timeline.hidden) this.#drawTimeline();
  }

  /** The faces in one sentence, for those who cannot see the picture. */
  inWords() {
    if (this.faces.length === 0) return word("none");
    return this.faces.map((face) => `${word("face", numberOf(face))}: ${titled(face.named)}`).join(", ");
  }

  /** How many faces show what, in a line. */
  summary() {
    if (this.faces.length === 0) return word("none");
    const counts = new Map();
    for (const { label } of this.faces) counts.set(label, (counts.get(label) ?? 0) + 1);
    const named = [...counts].map(([label, count]) => `${called(label)} ${count}`);
    return `${word("faces")}: ${this.faces.length} (${named.join(", ")})`;
  }

  #drawTimeline() {
    const { lanes } = this.parts, { chosen } = this.view;
    const { seconds } = drawTimeline(lanes, this.rows, chosen, this.span, this.card);
    lanes.setAttribute("aria-label", word("lanes", chosen ?? "-", Math.round(seconds)));
  }

  #clicked({ offsetX, offsetY }) {
    const { canvas } = this.parts, scale = canvas.width / canvas.clientWidth;
    const [x, y] = [offsetX * scale, offsetY * scale];
    const hit = this.faces.find(({ box }) =>
      x >= box.left && x < box.right && y >= box.top && y < box.bottom);
    if (hit) this.choose(numberOf(hit));
  }
}
