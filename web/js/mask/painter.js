// The painter: the picture, the mask over it, and the tools.

import { h, uid } from "../dom.js";
import { icon } from "../icons.js";
import { number, t } from "../i18n.js";
import { listenToKeys } from "./keys.js";
import { Pointers } from "./pointers.js";
import { toolbar } from "./toolbar.js";
import { Viewport } from "./viewport.js";

export class Painter {
  /** `tools` is {tool, size}, kept by the caller so that both survive a redraw of the page. */
  constructor({ picture, mask, tools, onChange }) {
    Object.assign(this, { picture, mask, tools, onChange });
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
    this.status.textContent = t("mask.covered", { percent });
    this.status.classList.toggle("empty", share === 0);
  }

  #build() {
    const { mask, picture } = this;
    mask.canvas.className = "mask-canvas";
    const base = h("img", { src: picture.address, alt: "", draggable: "false" });
    const sheet = h("div", { class: "painter-sheet" }, base, mask.canvas);
    this.ring = h("div", { class: "brush-ring", hidden: true });
    const help = uid("help");
    this.stage = h(
      "div",
      { class: "painter-stage", tabindex: "0", role: "application", "aria-label": t("mask.canvas"), "aria-describedby": help },
      sheet,
      this.ring,
    );
    this.stage.style.aspectRatio = `${Math.max(mask.width, mask.height * 0.75)} / ${mask.height}`;
    this.viewport = new Viewport(this.stage, sheet, mask.width, mask.height);
    this.viewport.onchange = () => this.#showRing();
    this.status = h("output", { class: "painter-status" });
    this.bar = toolbar(this);
    const keys = h("details", { class: "keys" }, h("summary", {}, t("mask.keys")), h("p", {}, t("mask.keys.list")));
    const foot = h("div", { class: "painter-foot" }, h("p", { id: help, class: "help" }, icon("hand"), t("mask.help")), this.status);
    this.element = h("div", { class: "painter" }, this.bar.element, this.stage, foot, keys);
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
