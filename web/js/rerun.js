// A form filled in as an earlier job was: values, pictures, masks and drawings, wherever they are.

import { convertJob } from "./api.js";
import { fieldsOf, findModel, valueAt } from "./catalogue.js";
import { draftOf, startFresh } from "./draft.js";
import { t } from "./i18n.js";
import { inputPictures } from "./inputs.js";
import { keepPicture } from "./keptpictures.js";
import { Drawing } from "./mask/drawing.js";
import { Mask } from "./mask/mask.js";
import { hexOf } from "./mask/tint.js";
import { flatSpec } from "./nativeform.js";

const DRAWN = /(^|\/)drawing\.png$/;

/**
 * Fills the draft of the job's model. The seed stays behind, unless it is asked for: the same images
 * again are seldom what is wanted and paid for.
 * @param {any} job a job as the API shows it
 * @param {{seed?: number}} changes what is to differ: the seed of a result, where the model has one
 * @returns {Promise<string|null>} the model's name, or null if it is not known any more
 */
export async function fillFrom(job, { seed } = {}) {
  const name = await fill(job, job.spec ?? {});
  const model = findModel(name);
  if (model && job.state === "SUCCEEDED") delete draftOf(model).parameters.seed;
  if (seed !== undefined && model?.parameters.properties?.seed) draftOf(model).parameters.seed = seed;
  return name;
}

/** The same for the model that succeeds the job's. */
export async function fillSuccessor(job, successor) {
  const { spec, notes } = await converted(job, successor);
  const name = await fill(job, { ...spec, model: successor.name });
  draftOf(successor).notes = notes;
  return name;
}

/** As the API converts it; where it cannot, the fields that both models know. */
async function converted(job, successor) {
  const old = findModel(job.model);
  if (old?.status?.convertible) {
    const [{ job_file: spec, notes }] = await convertJob(successor.name, job.spec);
    return { spec, notes };
  }
  const known = (section) => {
    const fields = successor[section].properties ?? {};
    return Object.fromEntries(Object.entries(job.spec?.[section] ?? {}).filter(([name]) => name in fields));
  };
  const spec = { ...job.spec, input: known("input"), parameters: known("parameters") };
  return { spec, notes: [t("rerun.someFields")] };
}

async function fill(job, written) {
  const model = findModel(written.model ?? job.model);
  if (!model) return null;
  const spec = flatSpec(model, written);
  const draft = startFresh(model);
  const pictures = await inputPictures(job, model, spec);
  fillValues(draft, model, spec, new Set(pictures.map((one) => one.field)));
  draft.chosen.add("size");
  draft.label = Object.values(job.labels ?? {})[0] ?? "";
  for (const one of pictures) await place(draft, one, spec);
  draft.violations = spec.model === job.model ? job.result?.violations ?? job.violations ?? [] : [];
  return model.name;
}

/** Fields inside objects have the name `object/field` in a draft. */
function fillValues(draft, model, spec, pictures) {
  for (const section of ["input", "parameters"]) {
    for (const { name } of fieldsOf(model[section])) {
      const value = valueAt(spec[section] ?? {}, name);
      if (!(section === "input" && pictures.has(name)) && value !== undefined) draft[section][name] = value;
    }
  }
}

async function place(draft, one, spec) {
  one.blob ??= await fetched(one);
  const bitmap = one.blob ? await createImageBitmap(one.blob).catch(() => null) : null;
  if (one.rule.sameSizeAs && bitmap) draft.masks[one.field] = maskOf(draft, one, bitmap, spec);
  else if (bitmap && isDrawing(one, spec)) draft.drawings[one.field] = { active: true, sheet: sheetOf(one, bitmap, spec), guide: null };
  else (draft.pictures[one.field] ??= []).push(pictureOf(one, bitmap ?? (await measured(one.address))));
  bitmap?.close?.();
}

/** A picture of the bucket, which is then kept in this browser; null if the bucket does not give it. */
async function fetched({ address, url, name }) {
  if (!address) return null;
  try {
    // Not from the cache: what an <img> left there has no word on who may read it.
    const answer = await fetch(address, { cache: "no-store" });
    if (!answer.ok) return null;
    const blob = await answer.blob();
    await keepPicture(url, blob, name);
    return blob;
  } catch {
    return null;
  }
}

/** The colours that the job says its mask or its lines have; none if it says nothing. */
function coloursFor(one, spec) {
  return spec.parameters?.[one.rule.marks?.colours?.split("/").pop()] ?? [];
}

/** A mask that marks its region with other colours becomes one of black and white, as the page paints. */
function maskOf(draft, one, bitmap, spec) {
  const marked = coloursFor(one, spec);
  const mask = new Mask(bitmap.width, bitmap.height);
  mask.load(bitmap, marked);
  if (marked.length) delete draft.parameters[one.rule.marks.colours.split("/").pop()];
  else if (one.url) Object.assign(mask, { url: one.url, urlVersion: mask.version });
  return mask;
}

/** Whether the picture was drawn in this page, on whichever computer. */
function isDrawing(one, spec) {
  const lines = one.rule.marks?.what === "lines" || spec.parameters?.is_sketch === true;
  return lines && !one.rule.at.endsWith("/*") && DRAWN.test(one.url ?? "");
}

/** Its pens are those that the job names to the model. */
function sheetOf(one, bitmap, spec) {
  const sheet = new Drawing(bitmap.width, bitmap.height);
  sheet.load(bitmap);
  for (const colour of coloursFor(one, spec)) sheet.pens.add(hexOf(colour));
  return Object.assign(sheet, { url: one.url, urlVersion: sheet.version });
}

function pictureOf(one, size) {
  const { blob, name, address, url, type } = one;
  const shown = blob && size ? URL.createObjectURL(blob) : address;
  return { blob, name, url, type: type ?? blob?.type, address: size ? shown : null, link: address, width: size?.width, height: size?.height, notes: [] };
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
