// A draft as IndexedDB can keep it, and back: canvases become blobs, previews are made again.

import { Drawing } from "./mask/drawing.js";
import { Mask } from "./mask/mask.js";
import { fromBlob, toBlob } from "./mask/store.js";

const PLAIN = ["input", "parameters", "pens", "tools", "id", "label", "prompts", "sent", "rolled"];
const OF_PICTURE = ["blob", "name", "type", "url", "width", "height", "notes"];

/** What is kept of a draft, null if nothing was entered. */
export async function packed(draft) {
  const masks = await entries(draft.masks, async (mask) => ({ blob: await toBlob(mask), ...uploaded(mask) }));
  const drawings = await entries(draft.drawings, async ({ active, sheet, guide }) => ({ active, guide: guide && pictureIn(guide), pens: [...sheet.pens], blob: await toBlob(sheet), ...uploaded(sheet) }));
  const pictures = await entries(draft.pictures, (all) => all.map(pictureIn));
  if (![draft.input, draft.parameters, masks, drawings].some((one) => Object.keys(one).length) && !Object.values(pictures).some((all) => all.length) && !draft.id && !draft.label && !draft.prompts) return null;
  const plain = structuredClone(Object.fromEntries(PLAIN.map((key) => [key, draft[key]])));
  return { ...plain, chosen: [...draft.chosen], pictures, masks, drawings };
}

/** The fields of a draft as they were. Raises if a blob is no longer readable. */
export async function unpacked(kept) {
  const masks = await entries(kept.masks, (one) => canvas(Mask, one));
  const drawings = await entries(kept.drawings, async (one) => ({ active: one.active, guide: one.guide && pictureOut(one.guide), sheet: Object.assign(await canvas(Drawing, one), { pens: new Set(one.pens) }) }));
  const pictures = await entries(kept.pictures, (all) => all.map(pictureOut));
  return { ...Object.fromEntries(PLAIN.map((key) => [key, kept[key]])), chosen: new Set(kept.chosen), pictures, masks, drawings };
}

/** About how many bytes it takes. */
export function bytesOf(kept) {
  const pictures = Object.values(kept.pictures).flat();
  const drawings = Object.values(kept.drawings);
  const blobs = [...pictures, ...drawings, ...drawings.map(({ guide }) => guide), ...Object.values(kept.masks)];
  return blobs.reduce((sum, one) => sum + (one?.blob?.size ?? 0), 0);
}

async function entries(object, change) {
  const changed = Object.entries(object).map(async ([key, value]) => [key, await change(value)]);
  return Object.fromEntries(await Promise.all(changed));
}

/** The address of an upload counts only for the pixels that were uploaded. */
const uploaded = (mask) => (mask.url && mask.urlVersion === mask.version ? { url: mask.url } : {});

async function canvas(Kind, { blob, url }) {
  const mask = await fromBlob(Kind, blob);
  return url ? Object.assign(mask, { url, urlVersion: mask.version }) : mask;
}

/** A preview that only this page knows is made again of the blob. */
function pictureIn(picture) {
  const kept = Object.fromEntries(OF_PICTURE.map((key) => [key, picture[key]]));
  return picture.blob ? { ...kept, shown: Boolean(picture.address) } : { ...kept, address: picture.address };
}

function pictureOut({ shown, ...picture }) {
  return picture.blob ? { ...picture, address: shown ? URL.createObjectURL(picture.blob) : null } : picture;
}
