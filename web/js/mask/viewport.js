// Where the picture stands on the screen: zoom and place. Lengths are CSS pixels.

const LARGEST = 16;

export class Viewport {
  /**
   * @param {HTMLElement} stage the window
   * @param {HTMLElement} sheet what moves under it, as large as the picture
   * @param {number} width of the picture in its pixels, as is `height`
   * @param {number} height
   */
  constructor(stage, sheet, width, height) {
    this.stage = stage;
    this.sheet = sheet;
    this.width = width;
    this.height = height;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.fitted = true;
    sheet.style.width = `${width}px`;
    sheet.style.height = `${height}px`;
    this.onchange = () => {};
  }

  get fitScale() {
    const { clientWidth, clientHeight } = this.stage;
    return Math.min(clientWidth / this.width, clientHeight / this.height) || 1;
  }

  fit() {
    this.fitted = true;
    this.scale = this.fitScale;
    this.x = (this.stage.clientWidth - this.width * this.scale) / 2;
    this.y = (this.stage.clientHeight - this.height * this.scale) / 2;
    this.#show();
  }

  /** Zooms so that the point of the stage stays where it is; the middle if none is given. */
  zoom(factor, at = { x: this.stage.clientWidth / 2, y: this.stage.clientHeight / 2 }) {
    const least = this.fitScale;
    const scale = Math.min(LARGEST, Math.max(least, this.scale * factor));
    if (scale <= least) return this.fit();
    this.fitted = false;
    this.x = at.x - ((at.x - this.x) * scale) / this.scale;
    this.y = at.y - ((at.y - this.y) * scale) / this.scale;
    this.scale = scale;
    return this.#keepInside();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.#keepInside();
  }

  /** Makes a point of the picture visible, as when the keyboard moves the brush. */
  reveal(point) {
    const margin = 24;
    const x = this.x + point.x * this.scale;
    const y = this.y + point.y * this.scale;
    const over = (at, most) => Math.min(0, most - margin - at) + Math.max(0, margin - at);
    if (!this.fitted) this.pan(over(x, this.stage.clientWidth), over(y, this.stage.clientHeight));
  }

  /** A place inside the stage, as a point of the picture. */
  toPicture(at) {
    return { x: (at.x - this.x) / this.scale, y: (at.y - this.y) / this.scale };
  }

  #keepInside() {
    const held = (at, shown, room) =>
      shown <= room ? (room - shown) / 2 : Math.min(0, Math.max(room - shown, at));
    this.x = held(this.x, this.width * this.scale, this.stage.clientWidth);
    this.y = held(this.y, this.height * this.scale, this.stage.clientHeight);
    this.#show();
  }

  #show() {
    this.sheet.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.onchange();
  }
}
