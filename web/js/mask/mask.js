// A mask as large as its picture: opaque where the picture is to change. It knows nothing of the
// screen, so it survives whatever happens to the form around it.

import { areaAround } from "./fill.js";
import { History, opacityOf } from "./history.js";
import { TINT } from "./tint.js";

const HALF = 128;
const COUNTED_PIXELS = 1e6;
const NEAR = 96;

function countPainted(context, width, height) {
  const { data } = context.getImageData(0, 0, width, height);
  let painted = 0;
  for (let i = 3; i < data.length; i += 4) if (data[i] >= HALF) painted += 1;
  return painted;
}

/** @param {CanvasRenderingContext2DSettings} [settings] */
function offscreen(width, height, settings) {
  return /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(width, height).getContext("2d", settings));
}

/** A little beside the colour is still the colour, as JPEG makes of it. */
function isMarked(red, green, blue, colours) {
  if (!colours.length) return (red + green + blue) / 3 >= HALF;
  return colours.some(([r, g, b]) => Math.abs(r - red) + Math.abs(g - green) + Math.abs(b - blue) < NEAR);
}

export class Mask {
  /**
   * @param {number} width in pixels, as is `height`
   * @param {number} height
   */
  constructor(width, height, colour = TINT, packing = opacityOf(colour.bits)) {
    this.colour = colour;
    this.canvas = document.createElement("canvas");
    this.canvas.width = width;
    this.canvas.height = height;
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { willReadFrequently: true }));
    this.history = new History(this.context, packing);
    this.version = 0;
  }

  get width() {
    return this.canvas.width;
  }

  get height() {
    return this.canvas.height;
  }

  /**
   * @param {boolean} erase
   * @param {number} size in pixels
   * @param {string} [_colour] of the pen; a mask has one alone
   */
  beginStroke(erase, size, _colour) {
    this.history.begin();
    Object.assign(this.context, {
      globalCompositeOperation: erase ? "destination-out" : "source-over",
      lineCap: "round",
      lineJoin: "round",
      lineWidth: size,
      strokeStyle: this.colour.css,
      fillStyle: this.colour.css,
    });
  }

  /** A line from one point to the next; a dot if both are the same. `size` is its width here. */
  strokeTo(from, to, size = this.context.lineWidth) {
    this.context.lineWidth = size;
    const reach = this.context.lineWidth / 2 + 1;
    const left = Math.min(from.x, to.x) - reach;
    const top = Math.min(from.y, to.y) - reach;
    const width = Math.abs(from.x - to.x) + 2 * reach;
    this.history.touch(left, top, width, Math.abs(from.y - to.y) + 2 * reach);
    this.context.beginPath();
    if (from.x === to.x && from.y === to.y) {
      // A line without length draws nothing.
      this.context.arc(to.x, to.y, this.context.lineWidth / 2, 0, 2 * Math.PI);
      this.context.fill();
      return;
    }
    this.context.moveTo(from.x, from.y);
    this.context.lineTo(to.x, to.y);
    this.context.stroke();
  }

  endStroke() {
    this.history.end();
    this.version += 1;
  }

  abandonStroke() {
    this.history.abandon();
  }

  /**
   * Paints the area around a point up to the next line.
   * @param {{x: number, y: number}} point
   * @param {string} [_colour]
   */
  fill(point, _colour) {
    const { data } = this.context.getImageData(0, 0, this.width, this.height);
    const start = Math.floor(point.y) * this.width + Math.floor(point.x);
    const area = areaAround(this.width, this.height, this.likeness(data, start), point);
    if (!area) return;
    const isBlank = data[start * 4 + 3] < HALF;
    this.history.begin();
    this.history.touch(area.x, area.y, area.width, area.height);
    // Under the soft edges of the lines, so that these stay as they are.
    this.context.globalCompositeOperation = isBlank ? "destination-over" : "source-over";
    this.context.drawImage(this.#patch(area), area.x, area.y);
    this.endStroke();
  }

  /**
   * What a fill goes on over: pixels that are not painted.
   * @param {Uint8ClampedArray} data
   * @param {number} _start the pixel where it begins
   * @returns {(index: number) => boolean}
   */
  likeness(data, _start) {
    return (index) => data[index * 4 + 3] < HALF;
  }

  undo() {
    this.history.undo();
    this.version += 1;
  }

  redo() {
    this.history.redo();
    this.version += 1;
  }

  clear() {
    this.whole("source-over", () => this.context.clearRect(0, 0, this.width, this.height));
  }

  /** What was painted is kept, and the other way round. */
  invert() {
    this.whole("xor", () => {
      this.context.fillStyle = this.colour.css;
      this.context.fillRect(0, 0, this.width, this.height);
    });
  }

  /**
   * Becomes a picture of the same size: light and opaque pixels are painted, or those of `colours`.
   * @param {ImageBitmap} bitmap
   * @param {number[][]} colours [[red, green, blue]]
   */
  load(bitmap, colours = []) {
    this.whole("copy", () => this.context.drawImage(bitmap, 0, 0));
    const image = this.context.getImageData(0, 0, this.width, this.height);
    const { data } = image;
    const { r, g, b } = this.colour;
    for (let i = 0; i < data.length; i += 4) {
      const marked = data[i + 3] >= HALF && isMarked(data[i], data[i + 1], data[i + 2], colours);
      [data[i], data[i + 1], data[i + 2]] = [r, g, b];
      data[i + 3] = marked ? 255 : 0;
    }
    this.context.putImageData(image, 0, 0);
  }

  /** Whether nothing at all is painted; counted once for each state of the pixels. */
  isEmpty() {
    if (this.counted?.version !== this.version) {
      this.counted = { version: this.version, painted: countPainted(this.context, this.width, this.height) };
    }
    return this.counted.painted === 0;
  }

  /** About the part that is painted, 0 to 1: large masks are counted on a smaller copy. */
  covered() {
    const scale = Math.min(1, Math.sqrt(COUNTED_PIXELS / (this.width * this.height)));
    const [width, height] = [Math.ceil(this.width * scale), Math.ceil(this.height * scale)];
    if (scale === 1) return countPainted(this.context, width, height) / (width * height);
    const copy = offscreen(width, height, { willReadFrequently: true });
    copy.drawImage(this.canvas, 0, 0, width, height);
    return countPainted(copy, width, height) / (width * height);
  }

  /** A PNG of pure black and pure white, at the picture's true size. */
  toPng() {
    const image = this.context.getImageData(0, 0, this.width, this.height);
    const { data } = image;
    for (let i = 0; i < data.length; i += 4) {
      data[i] = data[i + 1] = data[i + 2] = data[i + 3] >= HALF ? 255 : 0;
      data[i + 3] = 255;
    }
    const flat = document.createElement("canvas");
    flat.width = this.width;
    flat.height = this.height;
    const context = /** @type {CanvasRenderingContext2D} */ (flat.getContext("2d", { alpha: false }));
    context.putImageData(image, 0, 0);
    return new Promise((resolve) => flat.toBlob(resolve, "image/png"));
  }

  #patch({ width, height, inside }) {
    const context = offscreen(width, height);
    const image = context.createImageData(width, height);
    const words = new Uint32Array(image.data.buffer);
    const word = (0xff000000 | this.colour.bits) >>> 0;
    for (let i = 0; i < inside.length; i += 1) if (inside[i]) words[i] = word;
    context.putImageData(image, 0, 0);
    return context.canvas;
  }

  /** One step of the history that changes all. */
  whole(operation, draw) {
    this.history.begin();
    this.history.touch(0, 0, this.width, this.height);
    this.context.globalCompositeOperation = operation;
    draw();
    this.history.end();
    this.version += 1;
  }
}
