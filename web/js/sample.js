// A task shown in one click: pictures, a mask and words that come with the page, fetched when asked for.

import { pictureFields } from "./catalogue.js";
import { language } from "./i18n.js";
import { Mask } from "./mask/mask.js";
import { fittingPicture } from "./picture.js";

/** Fills the draft of a model with the task's sample. Raises ApiError-like errors of fetch. */
export async function fillSample({ model, draft, task }) {
  const { sample } = task;
  const taken = await fillPictures(model, draft, sample.pictures);
  if (sample.mask) await fillMask(model, draft, taken[0], sample.mask);
  const values = { "/input/prompt": sample[language()], ...sample.values };
  for (const [pointer, value] of Object.entries(values)) {
    const [, section, name] = pointer.split("/");
    const schema = model[section].properties?.[name];
    if (schema && value !== "" && !schema.fixed) draft[section][name] = value;
  }
}

/** One for each field, the rest for a list; answers the pictures. */
async function fillPictures(model, draft, names) {
  const waiting = [...names];
  const taken = [];
  for (const { name, schema, rule } of pictureFields(model)) {
    if (rule.sameSizeAs || !waiting.length) continue;
    const mine = waiting.splice(0, schema.type === "array" ? schema.maxItems ?? names.length : 1);
    const pictures = await Promise.all(mine.map((file) => fetched(file, rule)));
    if (draft.drawings[name]) draft.drawings[name].active = false;
    draft.pictures[name] = pictures;
    taken.push(...pictures);
  }
  return taken;
}

async function fetched(name, rule) {
  const blob = await blobOf(name);
  const file = new File([blob], name, { type: blob.type });
  return fittingPicture(file, rule);
}

const blobOf = async (name) => (await fetch(new URL(`../samples/${name}`, import.meta.url))).blob();

/** The mask in the size that its picture has here. */
async function fillMask(model, draft, { width, height }, name) {
  const rule = model.images.find((one) => one.sameSizeAs);
  if (!rule) return;
  const bitmap = await createImageBitmap(await blobOf(name), { resizeWidth: width, resizeHeight: height });
  const mask = new Mask(width, height);
  mask.load(bitmap);
  bitmap.close();
  draft.masks[rule.at.split("/").pop()] = mask;
}
