// A form filled in as an earlier job was.

import { findModel } from "./catalogue.js";
import { startFresh } from "./draft.js";
import { inputPictures } from "./inputs.js";
import { Mask } from "./mask/mask.js";

/** Fills the draft of the job's model; the model's name, or null if it is not known any more. */
export async function fillFrom(job) {
  const spec = job.spec ?? {};
  const model = findModel(spec.model ?? job.model);
  if (!model) return null;
  const draft = startFresh(model);
  const pictures = await inputPictures(job, model);
  const fields = new Set(pictures.map((one) => one.field));
  for (const [name, value] of Object.entries(spec.input ?? {})) if (!fields.has(name)) draft.input[name] = value;
  Object.assign(draft.parameters, spec.parameters ?? {});
  draft.chosen.add("size");
  draft.label = Object.values(job.labels ?? {})[0] ?? "";
  for (const one of pictures) await place(draft, one);
  draft.violations = job.result?.violations ?? job.violations ?? [];
  return model.name;
}

async function place(draft, one) {
  const bitmap = one.blob ? await createImageBitmap(one.blob).catch(() => null) : null;
  if (one.rule.sameSizeAs && bitmap) {
    const mask = new Mask(bitmap.width, bitmap.height);
    mask.load(bitmap);
    Object.assign(mask, { url: one.url, urlVersion: mask.version });
    draft.masks[one.field] = mask;
  } else {
    (draft.pictures[one.field] ??= []).push(pictureOf(one, bitmap ?? (await measured(one.address))));
  }
  bitmap?.close?.();
}

function pictureOf(one, size) {
  const { blob, name, address, url } = one;
  return { blob, name, url, address: size ? address : null, width: size?.width, height: size?.height, notes: [] };
}

/** Width and height of a picture that is not in this browser; null if it cannot be shown. */
async function measured(address) {
  if (!address) return null;
  const image = new Image();
  image.src = address;
  try {
    await image.decode();
    return { width: image.naturalWidth, height: image.naturalHeight };
  } catch {
    return null;
  }
}
