// Black lines on white paper, drawn with the tools of the mask. A photograph may lie underneath to
// be traced; it is no part of what is sent.

import { Mask } from "./mask.js";
import { INK } from "./tint.js";

const LONG_SIDE = 1024;

export class Drawing extends Mask {
  constructor(width, height) {
    super(width, height, INK);
  }

  /** The lines of another drawing, in the middle of this one. */
  take(other) {
    const place = (mine, its) => Math.round((mine - its) / 2);
    this.context.drawImage(other.canvas, place(this.width, other.width), place(this.height, other.height));
    this.version += 1;
  }

  /** A PNG of the lines on white, their edges as soft as they were drawn. */
  toPng() {
    const flat = document.createElement("canvas");
    flat.width = this.width;
    flat.height = this.height;
    const context = flat.getContext("2d", { alpha: false });
    context.fillStyle = "#fff";
    context.fillRect(0, 0, this.width, this.height);
    context.drawImage(this.canvas, 0, 0);
    return new Promise((resolve) => flat.toBlob(resolve, "image/png"));
  }
}

/** {width, height} of paper in these proportions that the rule of an image allows. */
export function paperSize(aspect, rule) {
  const low = rule.min + (rule.exclusive ? 1 : 0);
  const high = rule.max - (rule.exclusive ? 1 : 0);
  const within = (side) => Math.round(Math.min(high, Math.max(low, side)));
  const long = Math.max(LONG_SIDE, low * Math.max(aspect, 1 / aspect));
  return { width: within(aspect >= 1 ? long : long * aspect), height: within(aspect >= 1 ? long / aspect : long) };
}
