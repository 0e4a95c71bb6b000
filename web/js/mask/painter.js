// The painter: what lies below, the canvas over it, and the tools. It paints masks over pictures and
// draws lines on paper.

import { h, uid } from "../dom.js";
import { number, t } from "../i18n.js";
import { listenToKeys } from "./keys.js";
import { Pointers } from "./pointers.js";
import { Strokes } from "./strokes.js";
import { toolbar } from "./toolbar.js";
import { Viewport } from "./viewport.js";

/** The words each kind has of its own, and what it can do. */
const KINDS = {
  mask: { words: "mask", pen: "brush", inverts: true, imports: true, colours: false },
  drawing: { words: "draw", pen: "pencil", inverts: false, imports: false, colours: true },
};
const CROSS = 14;

export class Painter {
  /**
   * @param {object} parts
   * @param {"mask"|"drawing"} [parts.kind]
   * @param {{address: string}|null} parts.picture what lies below; a drawing may have none
   * @param {import("./mask.js").Mask} parts.mask
   * @param {{tool: string, size: number, colour?: string}} parts.tools kept by the caller, so that
   *   they survive a redraw of the page
   * @param {string} parts.fileName of an export
   * @param {() => void} parts.onChange
   */
  constructor({ kind = "mask", picture, mask, tools, fileName, onChange }) {
    this.kind = KINDS[kind];
    this.picture = picture;
    this.mask = mask;
    this.tools = tools;
    this.fileName = fileName;
    this.onChange = onChange;
    this.cursor = { x: mask.width / 2, y: mask.height / 2 };
    this.panHeld = false;
    this.pointed = false;
    const { sheet, help } = this.#buildStage();
    this.viewport = new Viewport(this.stage, sheet, mask.width, mask.height);
    this.viewport.onchange = () => this.#showRing();
    this.bar = toolbar(this);
    this.#buildRest(help);
    this.strokes = new Strokes(mask, tools);
    new Pointers(this.stage, this.viewport, this, () => this.panHeld || tools.tool === "pan");
    listenToKeys(this.element, this.stage, this);
    this.#watchSize();
    this.refresh();
  }

  // --- what Pointers calls ---

  down(point, how) {
    this.stage.focus({ preventScroll: true });
    this.strokes.begin(point, how);
  }

  move(point, how) {
    this.strokes.move(point, how);
    this.cursor = point;
  }

  up() {
    this.strokes.end();
    this.changed();
  }

  abandon() {
    this.strokes.abandon();
  }

  hover(place) {
    this.pointed = true;
    this.cursor = this.viewport.toPicture(place);
    this.#showRing();
  }

  leave() {
    this.pointed = false;
    this.ring.hidden = true;
  }

  // --- what keys and buttons call ---

  choose(tool) {
    this.tools.tool = tool;
    this.refresh();
    this.#showRing();
  }

  setColour(colour) {
    this.tools.colour = colour;
    if (this.tools.tool !== "fill") this.tools.tool = "brush";
    this.refresh();
  }

  resize(factor) {
    this.setSize(this.tools.size * factor);
  }

  setSize(size) {
    this.tools.size = Math.round(Math.min(this.largest, Math.max(2, size)));
    this.refresh();
    this.#showRing();
  }

  get largest() {
    return Math.max(16, Math.round(Math.min(this.mask.width, this.mask.height) / 2));
  }

  undo() {
    this.mask.undo();
    this.changed();
  }

  redo() {
    this.mask.redo();
    this.changed();
  }

  clear() {
    this.mask.clear();
    this.changed();
  }

  invert() {
    if (!this.kind.inverts) return;
    this.mask.invert();
    this.changed();
  }

  nudge(dx, dy, far) {
    this.pointed = true;
    const step = (far ? 2 : 0.5) * this.tools.size;
    this.cursor.x = Math.min(this.mask.width, Math.max(0, this.cursor.x + dx * step));
    this.cursor.y = Math.min(this.mask.height, Math.max(0, this.cursor.y + dy * step));
    this.viewport.reveal(this.cursor);
    this.#showRing();
  }

  dab() {
    this.strokes.begin({ ...this.cursor }, {});
    this.up();
  }

  holdPan(held) {
    this.panHeld = held;
    this.stage.classList.toggle("panning", held || this.tools.tool === "pan");
  }

  showKeys() {
    this.bar.help.togglePopover?.();
  }

  changed() {
    this.refresh();
    this.onChange();
  }

  refresh() {
    this.bar.refresh();
    this.holdPan(this.panHeld);
    const share = this.mask.covered();
    const percent = share > 0 && share < 0.01 ? number(share * 100, 1) : number(share * 100);
    this.status.textContent = t(`${this.kind.words}.covered`, { percent });
    this.status.classList.toggle("nothing", share === 0);
  }

  /** {sheet, help}: what moves under the stage, and the id of the words that help. */
  #buildStage() {
    const { mask, picture } = this;
    mask.canvas.className = "mask-canvas";
    this.below = picture ? h("img", { src: picture.address, alt: "", draggable: "false" }) : null;
    const sheet = h("div", { class: "painter-sheet" }, this.below, mask.canvas);
    const { words } = this.kind;
    this.ring = h("div", { class: "brush-ring", hidden: true });
    const help = uid("help");
    this.stage = h(
      "div",
      { class: "painter-stage", tabindex: "0", role: "application", "aria-label": t(`${words}.canvas`), "aria-describedby": help },
      sheet,
      this.ring,
    );
    this.stage.style.aspectRatio = `${Math.max(mask.width, mask.height * 0.75)} / ${mask.height}`;
    return { sheet, help };
  }

  #buildRest(help) {
    const { words } = this.kind;
    this.status = h("output", { class: "painter-status" });
    const foot = h("div", { class: "painter-foot" }, this.status, h("p", { id: help, class: "help" }, t(`${words}.help`)), this.bar.foot);
    this.element = h("div", { class: `painter ${words}` }, this.bar.element, this.stage, foot);
  }

  #watchSize() {
    new ResizeObserver(() => {
      if (this.viewport.fitted) this.viewport.fit();
      else this.viewport.pan(0, 0);
    }).observe(this.stage);
  }

  #showRing() {
    const { scale, x, y } = this.viewport;
    const size = this.tools.tool === "fill" ? CROSS : Math.max(4, this.tools.size * scale);
    this.ring.hidden = !this.pointed || this.tools.tool === "pan" || this.panHeld;
    this.ring.classList.toggle("cross", this.tools.tool === "fill");
    Object.assign(this.ring.style, {
      width: `${size}px`,
      height: `${size}px`,
      transform: `translate(${x + this.cursor.x * scale - size / 2}px, ${y + this.cursor.y * scale - size / 2}px)`,
    });
  }
}
