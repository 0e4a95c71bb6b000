// The painter: what lies below, the canvas over it, and the tools. It paints masks over pictures and
// draws lines on paper.

import { h, uid } from "../dom.js";
import { icon } from "../icons.js";
import { number, t } from "../i18n.js";
import { listenToKeys } from "./keys.js";
import { Pointers } from "./pointers.js";
import { toolbar } from "./toolbar.js";
import { Viewport } from "./viewport.js";

/** The words each kind has of its own, and what it can do. */
const KINDS = {
  mask: { words: "mask", pen: "brush", inverts: true, imports: true },
  drawing: { words: "draw", pen: "pencil", inverts: false, imports: false },
};

export class Painter {
  /**
   * `tools` is {tool, size}, kept by the caller so that both survive a redraw of the page;
   * `picture` may be null for a drawing, `fileName` is that of an export.
   */
  constructor({ kind = "mask", picture, mask, tools, fileName, onChange }) {
    Object.assign(this, { kind: KINDS[kind], picture, mask, tools, fileName, onChange });
    this.cursor = { x: mask.width / 2, y: mask.height / 2 };
    this.panHeld = false;
    this.#build();
    new Pointers(this.stage, this.viewport, this, () => this.panHeld || tools.tool === "pan");
    listenToKeys(this.stage, this);
    this.#watchSize();
    this.refresh();
  }

  // --- what Pointers calls ---

  down(point) {
    this.stage.focus({ preventScroll: true });
    this.mask.beginStroke(this.tools.tool === "eraser", this.tools.size);
    this.last = point;
    this.mask.strokeTo(point, point);
  }

  move(point) {
    this.mask.strokeTo(this.last, point);
    this.last = point;
    this.cursor = point;
  }

  up() {
    this.mask.endStroke();
    this.changed();
  }

  abandon() {
    this.mask.abandonStroke();
  }

  hover(place) {
    this.cursor = this.viewport.toPicture(place);
    this.#showRing();
  }

  leave() {
    this.ring.hidden = true;
  }

  // --- what keys and buttons call ---

  choose(tool) {
    this.tools.tool = tool;
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
    const step = (far ? 2 : 0.5) * this.tools.size;
    this.cursor.x = Math.min(this.mask.width, Math.max(0, this.cursor.x + dx * step));
    this.cursor.y = Math.min(this.mask.height, Math.max(0, this.cursor.y + dy * step));
    this.viewport.reveal(this.cursor);
    this.#showRing();
  }

  dab() {
    this.mask.beginStroke(this.tools.tool === "eraser", this.tools.size);
    this.mask.strokeTo(this.cursor, this.cursor);
    this.up();
  }

  holdPan(held) {
    this.panHeld = held;
    this.stage.classList.toggle("panning", held || this.tools.tool === "pan");
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
    this.status.classList.toggle("empty", share === 0);
  }

  #build() {
    const { mask, picture } = this;
    mask.canvas.className = "mask-canvas";
    const base = picture ? h("img", { src: picture.address, alt: "", draggable: "false" }) : null;
    const sheet = h("div", { class: "painter-sheet" }, base, mask.canvas);
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
    this.viewport = new Viewport(this.stage, sheet, mask.width, mask.height);
    this.viewport.onchange = () => this.#showRing();
    this.status = h("output", { class: "painter-status" });
    this.bar = toolbar(this);
    const keys = h("details", { class: "keys" }, h("summary", {}, t("mask.keys")), h("p", {}, t(`${words}.keys.list`)));
    const foot = h("div", { class: "painter-foot" }, h("p", { id: help, class: "help" }, icon("hand"), t(`${words}.help`)), this.status);
    this.element = h("div", { class: `painter ${words}` }, this.bar.element, this.stage, foot, keys);
  }

  #watchSize() {
    new ResizeObserver(() => {
      if (this.viewport.fitted) this.viewport.fit();
      else this.viewport.pan(0, 0);
    }).observe(this.stage);
  }

  #showRing() {
    const { scale, x, y } = this.viewport;
    const size = Math.max(4, this.tools.size * scale);
    this.ring.hidden = this.tools.tool === "pan" || this.panHeld;
    Object.assign(this.ring.style, {
      width: `${size}px`,
      height: `${size}px`,
      transform: `translate(${x + this.cursor.x * scale - size / 2}px, ${y + this.cursor.y * scale - size / 2}px)`,
    });
  }
}
