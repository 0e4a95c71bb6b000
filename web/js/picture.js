// A picture a person chose: checked against the model's rule, converted if need be.

import { lookAt } from "./filetype.js";
import { bytes, t } from "./i18n.js";

/** A picture is enlarged so many times at most: what comes of a smaller one is not worth its price. */
const MOST_ENLARGED = 2;

/** A picture that does not fit; `fixable` if converting it would help. */
export class BadPicture extends Error {
  constructor(key, values, fixable = false) {
    super(t(key, values));
    this.fixable = fixable;
  }
}

/**
 * What is known of a picture of a draft.
 * @typedef {object} Picture
 * @property {Blob|null} blob null if it lies in the bucket and this browser cannot read it
 * @property {string} name
 * @property {string} [type]
 * @property {number} [width] in pixels, as is `height`; unknown where it cannot be shown
 * @property {number} [height]
 * @property {string|null} address of the preview
 * @property {string[]} notes
 * @property {string|null} [url] once it is in the bucket
 */

/** What an input for files takes. */
export const acceptOf = (rule) => rule.accept.map((format) => `image/${format.toLowerCase()}`).join(",");

/**
 * Raises BadPicture.
 * @returns {Promise<Picture>}
 */
export async function readPicture(file, rule) {
  const name = file.name || "picture";
  const formats = rule.accept.join(", ");
  if (file.size === 0) throw new BadPicture("bad.empty", { name });
  const seen = await lookAt(file);
  if (!seen.format) throw new BadPicture("bad.notImage", { name, formats });
  if (seen.format === "HEIC") return unseen(file, name, seen, rule, formats);
  const bitmap = await decode(file, name, seen.format, formats);
  const { width, height } = bitmap;
  try {
    checkFormat(seen, name, rule, formats);
    checkBytes(name, file.size, rule);
    checkAspect({ name, width, height }, rule);
    const advice = sizeProblem({ name, width, height }, rule);
    if (advice && !rule.advised) throw advice;
    const upright = seen.orientation > 1 ? await redraw(bitmap, width, height, "image/jpeg") : file;
    return finished(upright, name, seen, width, height, rule, advice);
  } finally {
    bitmap.close();
  }
}

/** Browsers cannot show it, so its size is left to the API. */
function unseen(file, name, seen, rule, formats) {
  checkFormat(seen, name, rule, formats);
  checkBytes(name, file.size, rule);
  return { blob: file, name, type: seen.mime, address: null, notes: [t("warn.unseen")] };
}

/**
 * The same picture as the model takes it: inside the bounds, and opaque unless it must not be; as
 * JPEG if that goes. Raises BadPicture.
 */
export async function fixPicture(file, rule) {
  const { format } = await lookAt(file);
  const bitmap = await decode(file, file.name, "", rule.accept.join(", "));
  const was = `${bitmap.width} × ${bitmap.height} ${format}`;
  const [width, height] = inside(bitmap.width, bitmap.height, rule);
  if (width > MOST_ENLARGED * bitmap.width) throw new BadPicture("bad.broken", { name: file.name });
  const type = rule.accept.includes("JPEG") && !rule.rgba ? "image/jpeg" : "image/png";
  const blob = await redraw(bitmap, width, height, type, rule.rgba);
  bitmap.close();
  const name = file.name.replace(/\.[^.]*$/, "") + (type === "image/jpeg" ? ".jpg" : ".png");
  const made = await readPicture(new File([blob], name, { type }), rule);
  return { ...made, notes: [t("image.fixed", { was, width: made.width, height: made.height }), ...made.notes] };
}

/** A picture as it is, or converted if only that makes it fit. Raises BadPicture. */
export function fittingPicture(file, rule) {
  return readPicture(file, rule).catch((error) => {
    if (!error.fixable) throw error;
    return fixPicture(file, rule).catch(() => { throw error; });
  });
}

function finished(blob, name, seen, width, height, rule, advice) {
  const notes = [];
  if (advice) notes.push(t("warn.size", { min: rule.min, max: rule.max }));
  if (rule.warn.includes(seen.format)) notes.push(t("warn.format", { format: seen.format }));
  const address = URL.createObjectURL(blob);
  return { blob, name, type: seen.mime, width, height, address, notes };
}

async function decode(file, name, format, formats) {
  try {
    return await createImageBitmap(file);
  } catch {
    if (format === "TIFF") throw new BadPicture("bad.format", { name, format, formats });
    throw new BadPicture("bad.broken", { name });
  }
}

function checkFormat(seen, name, rule, formats) {
  const { format } = seen;
  if (!rule.accept.includes(format) && !rule.warn.includes(format)) {
    throw new BadPicture("bad.format", { name, format, formats }, true);
  }
  if (seen.alpha && rule.noAlpha.includes(format)) throw new BadPicture("bad.alpha", { name }, true);
  if (rule.rgba && !seen.rgba) throw new BadPicture("bad.opaque", { name });
}

/** The problem, or null: where the bounds are advice alone it is a note. */
function sizeProblem({ name, width, height }, rule) {
  const { min, max, exclusive } = rule;
  const low = exclusive ? min + 1 : min;
  const high = exclusive ? max - 1 : max;
  if (Math.min(width, height) < low) {
    const bound = t(exclusive ? "bad.moreThan" : "bad.atLeast");
    return new BadPicture("bad.small", { name, width, height, bound, min }, true);
  }
  if (Math.min(width, height) > rule.shorterMax) {
    return new BadPicture("bad.large", { name, width, height, bound: t("bad.shorter"), max: rule.shorterMax }, true);
  }
  if (Math.max(width, height) > high) {
    const bound = t(exclusive ? "bad.lessThan" : "bad.atMost");
    return new BadPicture("bad.large", { name, width, height, bound, max }, true);
  }
  return null;
}

/** Of the bounds of longer over shorter side those that the service insists on. */
function checkAspect({ name, width, height }, rule) {
  const share = Math.max(width, height) / Math.min(width, height);
  for (const { refused, largest, below } of rule.aspect) {
    if (refused && (share > (largest ?? Infinity) || share >= (below ?? Infinity))) {
      throw new BadPicture("bad.aspect", { name, width, height, max: largest ?? below });
    }
  }
}

function checkBytes(name, size, rule) {
  if (size > rule.maxBytes) {
    throw new BadPicture("bad.bytes", { name, size: bytes(size), max: bytes(rule.maxBytes) }, true);
  }
  if (size < rule.minBytes) throw new BadPicture("bad.fewBytes", { name, size, min: bytes(rule.minBytes) });
}

function inside(width, height, rule) {
  const low = rule.exclusive ? rule.min + 1 : rule.min;
  const high = Math.min(rule.exclusive ? rule.max - 1 : rule.max, 4096);
  let scale = Math.min(1, high / Math.max(width, height), rule.shorterMax / Math.min(width, height));
  if (Math.min(width, height) * scale < low) scale = low / Math.min(width, height);
  return [Math.round(width * scale), Math.round(height * scale)];
}

function redraw(bitmap, width, height, type, seeThrough = false) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#fff";
  if (!seeThrough) context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve, type, 0.94));
}
