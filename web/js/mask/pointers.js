// Mouse, pen and fingers on the stage: one paints, two move and pinch, the wheel zooms.

const SECONDARY = 2;
const ERASER = 32;

/** Only a pen says how hard it is pressed, and which of its ends is; a mouse always reports a half. */
function howOf({ shiftKey, pointerType, pressure, buttons }) {
  const isPen = pointerType === "pen";
  return { straight: shiftKey, pressure: isPen && pressure > 0 ? pressure : 1, erases: isPen && Boolean(buttons & ERASER) };
}

/**
 * `tool` answers down(point, how), move(point, how), up(), abandon(), hover(place) and leave(), where
 * `how` is {straight, pressure, erases}; `isPanning()` says whether one pointer moves the picture instead.
 */
export class Pointers {
  /**
   * @param {HTMLElement} stage
   * @param {import("./viewport.js").Viewport} viewport
   * @param {Pick<import("./painter.js").Painter, "down"|"move"|"up"|"abandon"|"hover"|"leave">} tool
   * @param {() => boolean} isPanning
   */
  constructor(stage, viewport, tool, isPanning) {
    this.stage = stage;
    this.viewport = viewport;
    this.tool = tool;
    this.isPanning = isPanning;
    this.down = new Map();
    this.mode = null;
    const listen = (name, handler) => stage.addEventListener(name, handler.bind(this));
    listen("pointerdown", this.press);
    listen("pointermove", this.move);
    listen("pointerup", this.release);
    listen("pointercancel", this.release);
    listen("pointerleave", () => tool.leave());
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  press(event) {
    if (event.target.closest("button") || event.button === SECONDARY) return;
    event.preventDefault();
    this.stage.setPointerCapture(event.pointerId);
    this.down.set(event.pointerId, this.place(event));
    if (this.down.size === 2) this.startPinch();
    else if (this.down.size === 1) this.startOne(event);
  }

  startOne(event) {
    this.mode = this.isPanning() || event.button === 1 ? "pan" : "paint";
    if (this.mode === "paint") this.tool.down(this.viewport.toPicture(this.place(event)), howOf(event));
  }

  startPinch() {
    if (this.mode === "paint") this.tool.abandon();
    this.mode = "pinch";
  }

  move(event) {
    const place = this.place(event);
    this.tool.hover(place);
    const before = this.down.get(event.pointerId);
    if (!before) return;
    if (this.mode === "pinch") this.pinch(event.pointerId, place);
    else if (this.mode === "pan") this.viewport.pan(place.x - before.x, place.y - before.y);
    else if (this.mode === "paint") this.paint(event);
    this.down.set(event.pointerId, place);
  }

  paint(event) {
    const steps = event.getCoalescedEvents?.() ?? [];
    for (const step of steps.length ? steps : [event]) {
      this.tool.move(this.viewport.toPicture(this.place(step)), howOf(step));
    }
  }

  pinch(id, place) {
    const before = this.down.get(id);
    const other = [...this.down].find(([key]) => key !== id)?.[1];
    if (!other) return;
    const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
    const middle = { x: (place.x + other.x) / 2, y: (place.y + other.y) / 2 };
    this.viewport.pan((place.x - before.x) / 2, (place.y - before.y) / 2);
    this.viewport.zoom(distance(place, other) / Math.max(1, distance(before, other)), middle);
  }

  release(event) {
    if (!this.down.delete(event.pointerId)) return;
    if (this.mode === "paint") this.tool.up();
    if (this.down.size === 0 || this.mode === "paint") this.mode = null;
  }

  wheel(event) {
    event.preventDefault();
    this.viewport.zoom(Math.exp(-event.deltaY * 0.0018), this.place(event));
  }

  place(event) {
    const box = this.stage.getBoundingClientRect();
    return { x: event.clientX - box.left - this.stage.clientLeft, y: event.clientY - box.top - this.stage.clientTop };
  }
}
