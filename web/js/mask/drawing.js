// Lines on white paper, drawn with the tools of the mask. A photograph may lie underneath to be
// traced; it is no part of what is sent.

import { WHOLE } from "./history.js";
import { Mask } from "./mask.js";
import { INK, colourOf } from "./tint.js";

const LONG_SIDE = 1024;
const PEN_SHARE = 170;
const ALIKE = 48;
const ROUNDING = 2;

export class Drawing extends Mask {
  constructor(width, height) {
    super(width, height, colourOf(INK), WHOLE);
    this.pens = new Set();
  }

  beginStroke(erase, size, colour) {
    this.#take(erase ? null : colour);
    super.beginStroke(erase, size);
  }

  fill(point, colour) {
    this.#take(colour);
    super.fill(point);
  }

  /** The lines of another drawing, in the middle of this one. */
  take(other) {
    const place = (mine, its) => Math.round((mine - its) / 2);
    this.context.globalCompositeOperation = "source-over";
    this.context.drawImage(other.canvas, place(this.width, other.width), place(this.height, other.height));
    for (const pen of other.pens) this.pens.add(pen);
    this.version += 1;
  }

  /** Becomes a picture of the same size: what is white is the paper, the rest can be erased. */
  load(bitmap) {
    this.whole("copy", () => this.context.drawImage(bitmap, 0, 0, this.width, this.height));
    const image = this.context.getImageData(0, 0, this.width, this.height);
    withoutPaper(image.data);
    this.context.putImageData(image, 0, 0);
  }

  /** [[red, green, blue]]: the pens whose lines are still to be seen. */
  colours() {
    const { data } = this.context.getImageData(0, 0, this.width, this.height);
    return coloursIn(data, [...this.pens].map(colourOf)).map(({ r, g, b }) => [r, g, b]);
  }

  /** A PNG of the lines on white, their edges as soft as they were drawn. */
  toPng() {
    const flat = document.createElement("canvas");
    flat.width = this.width;
    flat.height = this.height;
    const context = /** @type {CanvasRenderingContext2D} */ (flat.getContext("2d", { alpha: false }));
    context.fillStyle = "#fff";
    context.fillRect(0, 0, this.width, this.height);
    context.drawImage(this.canvas, 0, 0);
    return new Promise((resolve) => flat.toBlob(resolve, "image/png"));
  }

  /** What a fill goes on over: the same colour as where it began. */
  likeness(data, start) {
    const at = start * 4;
    return (index) => [0, 1, 2, 3].every((part) => Math.abs(data[index * 4 + part] - data[at + part]) <= ALIKE);
  }

  #take(colour) {
    if (!colour) return;
    this.colour = colourOf(colour);
    this.pens.add(colour);
  }
}

/** As if the colours had been drawn on white: the darkest part of a pixel is what covers the paper. */
export function withoutPaper(data) {
  for (let i = 0; i < data.length; i += 4) {
    const seen = data[i + 3] / 255;
    const parts = [0, 1, 2].map((part) => 255 - (255 - data[i + part]) * seen);
    const cover = 255 - Math.min(...parts);
    for (const part of [0, 1, 2]) data[i + part] = cover ? Math.round(((parts[part] - 255 + cover) * 255) / cover) : 0;
    data[i + 3] = cover;
  }
}

/** Those of the pens that a pixel on white paper looks like. */
export function coloursIn(data, pens) {
  const seen = new Set();
  for (let i = 0; i < data.length && seen.size < pens.length; i += 4) {
    if (!data[i + 3]) continue;
    for (const pen of pens) if (!seen.has(pen) && looksLike(data, i, pen)) seen.add(pen);
  }
  return pens.filter((pen) => seen.has(pen));
}

function looksLike(data, i, { r, g, b }) {
  const cover = data[i + 3] / 255;
  return [r, g, b].every((part, at) => Math.abs(255 - (255 - data[i + at]) * cover - part) <= ROUNDING);
}

/** The width of a pen that suits the paper, in pixels. */
export const penFor = (sheet) => Math.max(2, Math.round(sheet.width / PEN_SHARE));

/** {width, height} of paper in these proportions that the rule of an image allows. */
export function paperSize(aspect, rule) {
  const low = rule.min + (rule.exclusive ? 1 : 0);
  const high = rule.max - (rule.exclusive ? 1 : 0);
  const within = (side) => Math.round(Math.min(high, Math.max(low, side)));
  const long = Math.max(LONG_SIDE, low * Math.max(aspect, 1 / aspect));
  return { width: within(aspect >= 1 ? long : long * aspect), height: within(aspect >= 1 ? long / aspect : long) };
}
