// From the movements of a pointer to lines on the canvas: free, straight with Shift, as wide as a pen
// is pressed; or an area to fill.

const LIGHTEST = 0.25;
const STILL = 0.25;

export class Strokes {
  /**
   * @param {import("./mask.js").Mask} sheet
   * @param {{tool: string, size: number, colour?: string}} tools
   */
  constructor(sheet, tools) {
    this.sheet = sheet;
    this.tools = tools;
    this.stroke = null;
    this.last = null;
  }

  /**
   * @param {{x: number, y: number}} point in pixels of the picture
   * @param {{straight?: boolean, pressure?: number, erases?: boolean}} how the pressure is a share of the full one
   */
  begin(point, { straight = false, pressure = 1, erases = false }) {
    this.stroke = { from: point, to: point, straight, fills: this.tools.tool === "fill", erases: erases || this.tools.tool === "eraser" };
    if (this.stroke.fills) return;
    this.#open();
    this.#line(point, point, pressure);
  }

  move(point, { pressure = 1 } = {}) {
    const { stroke } = this;
    if (!stroke) return;
    const before = stroke.to;
    stroke.to = point;
    if (stroke.fills) return;
    if (stroke.straight) this.#again(stroke.from, point);
    else this.#line(before, point, pressure);
  }

  /** A press with Shift that does not move draws a line from where the last one ended. */
  end() {
    if (!this.stroke) return;
    if (this.stroke.fills) this.sheet.fill(this.stroke.to, this.tools.colour);
    else this.#endLine();
    this.stroke = null;
  }

  #endLine() {
    const { stroke, last } = this;
    const moved = Math.hypot(stroke.to.x - stroke.from.x, stroke.to.y - stroke.from.y);
    if (stroke.straight && last && moved <= STILL * this.tools.size) this.#again(last, stroke.to);
    this.last = stroke.to;
    this.sheet.endStroke();
  }

  abandon() {
    if (this.stroke && !this.stroke.fills) this.sheet.abandonStroke();
    this.stroke = null;
  }

  #open() {
    this.sheet.beginStroke(this.stroke.erases, this.tools.size, this.tools.colour);
  }

  #again(from, to) {
    this.sheet.abandonStroke();
    this.#open();
    this.#line(from, to, 1);
  }

  #line(from, to, pressure) {
    this.sheet.strokeTo(from, to, Math.max(1, this.tools.size * (LIGHTEST + (1 - LIGHTEST) * pressure)));
  }
}
