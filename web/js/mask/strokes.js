// From the movements of a pointer to lines on the canvas: free, straight with Shift, as wide as a pen
// is pressed; or an area to fill.

const LIGHTEST = 0.25;
const STILL = 0.25;

/**
 * @typedef {{x: number, y: number}} Point in pixels of the picture
 * @typedef {{from: Point, to: Point, straight: boolean, fills: boolean, erases: boolean}} Stroke
 */

export class Strokes {
  /**
   * @param {import("./mask.js").Mask} sheet
   * @param {{tool: string, size: number, colour?: string}} tools
   */
  constructor(sheet, tools) {
    this.sheet = sheet;
    this.tools = tools;
    /** @type {Stroke|null} */
    this.stroke = null;
    /** @type {Point|null} where the last line ended */
    this.last = null;
  }

  /**
   * @param {Point} point
   * @param {{straight?: boolean, pressure?: number, erases?: boolean}} how the pressure is a share of the full one
   */
  begin(point, { straight = false, pressure = 1, erases = false }) {
    const stroke = { from: point, to: point, straight, fills: this.tools.tool === "fill", erases: erases || this.tools.tool === "eraser" };
    this.stroke = stroke;
    if (stroke.fills) return;
    this.#open(stroke);
    this.#line(point, point, pressure);
  }

  move(point, { pressure = 1 } = {}) {
    const { stroke } = this;
    if (!stroke) return;
    const before = stroke.to;
    stroke.to = point;
    if (stroke.fills) return;
    if (stroke.straight) this.#again(stroke, stroke.from, point);
    else this.#line(before, point, pressure);
  }

  /** A press with Shift that does not move draws a line from where the last one ended. */
  end() {
    const { stroke } = this;
    if (!stroke) return;
    if (stroke.fills) this.sheet.fill(stroke.to, this.tools.colour);
    else this.#endLine(stroke);
    this.stroke = null;
  }

  #endLine(stroke) {
    const { last } = this;
    const moved = Math.hypot(stroke.to.x - stroke.from.x, stroke.to.y - stroke.from.y);
    if (stroke.straight && last && moved <= STILL * this.tools.size) this.#again(stroke, last, stroke.to);
    this.last = stroke.to;
    this.sheet.endStroke();
  }

  abandon() {
    if (this.stroke && !this.stroke.fills) this.sheet.abandonStroke();
    this.stroke = null;
  }

  #open(stroke) {
    this.sheet.beginStroke(stroke.erases, this.tools.size, this.tools.colour);
  }

  #again(stroke, from, to) {
    this.sheet.abandonStroke();
    this.#open(stroke);
    this.#line(from, to, 1);
  }

  #line(from, to, pressure) {
    this.sheet.strokeTo(from, to, Math.max(1, this.tools.size * (LIGHTEST + (1 - LIGHTEST) * pressure)));
  }
}
