// What a file is, by its first bytes; a name proves nothing.

/** @type {[string, string, number[]][]} the format, its MIME type, and how its files begin */
const SIGNATURES = [
  ["PNG", "image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["JPEG", "image/jpeg", [0xff, 0xd8, 0xff]],
  ["BMP", "image/bmp", [0x42, 0x4d]],
  ["TIFF", "image/tiff", [0x49, 0x49, 0x2a, 0x00]],
  ["TIFF", "image/tiff", [0x4d, 0x4d, 0x00, 0x2a]],
  ["GIF", "image/gif", [0x47, 0x49, 0x46, 0x38]],
];
const HEAD = 262144;

/** {format, mime, alpha, orientation} of a file; format is null if it is no image known. */
export async function lookAt(file) {
  const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  const [format, mime] = recognise(head);
  return {
    format,
    mime,
    alpha: format === "PNG" && pngHasAlpha(head),
    rgba: (format === "PNG" && head[25] === 6) || (format === "WEBP" && webpHasAlpha(head)),
    orientation: format === "JPEG" ? jpegOrientation(head) : 1,
  };
}

function recognise(head) {
  for (const [format, mime, signature] of SIGNATURES) {
    if (signature.every((byte, place) => head[place] === byte)) return [format, mime];
  }
  if (ascii(head, 0, 4) === "RIFF" && ascii(head, 8, 12) === "WEBP") return ["WEBP", "image/webp"];
  if (isHeic(head)) return ["HEIC", "image/heic"];
  return [null, null];
}

/** HEIF in HEVC, as phones make it, by its own brand or a compatible one. */
function isHeic(head) {
  if (ascii(head, 4, 8) !== "ftyp") return false;
  const brands = ascii(head, 8, Math.min(number(head, 0, 4, false), 256)).match(/.{4}/gs) ?? [];
  return brands.some((brand) => /^he(ic|ix|im|is|vc|vx)$/.test(brand));
}

function webpHasAlpha(head) {
  if (ascii(head, 12, 16) === "VP8X") return (head[20] & 16) !== 0;
  return ascii(head, 12, 16) === "VP8L" && (head[24] & 16) !== 0;
}

/** Colour types 4 and 6 have an alpha channel; a tRNS chunk before the image data gives one. */
function pngHasAlpha(head) {
  if (head[25] === 4 || head[25] === 6) return true;
  for (let at = 8; at + 8 < head.length; ) {
    const name = ascii(head, at + 4, at + 8);
    if (name === "tRNS") return true;
    if (name === "IDAT") return false;
    at += 12 + number(head, at, 4, false);
  }
  return false;
}

/** The EXIF orientation, 1 to 8: browsers turn such a picture, the model service does not. */
function jpegOrientation(head) {
  for (let at = 2; at + 10 < head.length && head[at] === 0xff; ) {
    const size = number(head, at + 2, 2, false);
    if (head[at + 1] === 0xe1 && ascii(head, at + 4, at + 8) === "Exif") {
      return exifOrientation(head.subarray(at + 10, at + 2 + size));
    }
    if (head[at + 1] === 0xda) break;
    at += 2 + size;
  }
  return 1;
}

function exifOrientation(tiff) {
  const little = tiff[0] === 0x49;
  const first = number(tiff, 4, 4, little);
  const entries = number(tiff, first, 2, little) || 0;
  for (let entry = 0; entry < entries; entry += 1) {
    const at = first + 2 + entry * 12;
    if (number(tiff, at, 2, little) === 0x0112) return number(tiff, at + 8, 2, little) || 1;
  }
  return 1;
}

function number(data, at, count, little) {
  let value = 0;
  for (let i = 0; i < count; i += 1) value = value * 256 + data[at + (little ? count - 1 - i : i)];
  return value;
}

function ascii(data, from, to) {
  return String.fromCharCode(...data.subarray(from, to));
}
