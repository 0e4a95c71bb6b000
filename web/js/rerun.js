// A form filled in as an earlier job was.

import { convertJob } from "./api.js";
import { fieldsOf, findModel, valueAt } from "./catalogue.js";
import { draftOf, startFresh } from "./draft.js";
import { t } from "./i18n.js";
import { inputPictures } from "./inputs.js";
import { Mask } from "./mask/mask.js";

/** Fills the draft of the job's model; the model's name, or null if it is not known any more. */
export async function fillFrom(job) {
  return fill(job, job.spec ?? {});
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

async function fill(job, spec) {
  const model = findModel(spec.model ?? job.model);
  if (!model) return null;
  const draft = startFresh(model);
  const pictures = await inputPictures(job, model, spec);
  const fields = new Set(pictures.map((one) => one.field));
  for (const { name } of fieldsOf(model.input)) {
    const value = valueAt(spec.input, name);
    if (!fields.has(name) && value !== undefined) draft.input[name] = value;
  }
  Object.assign(draft.parameters, spec.parameters ?? {});
  draft.chosen.add("size");
  draft.label = Object.values(job.labels ?? {})[0] ?? "";
  for (const one of pictures) await place(draft, one);
  draft.violations = spec.model === job.model ? job.result?.violations ?? job.violations ?? [] : [];
  return model.name;
}

async function place(draft, one) {
  const bitmap = one.blob ? await createImageBitmap(one.blob).catch(() => null) : null;
  if (one.rule.sameSizeAs && bitmap) {
    const mask = new Mask(bitmap.width, bitmap.height);
    mask.load(bitmap);
    if (one.url) Object.assign(mask, { url: one.url, urlVersion: mask.version });
    draft.masks[one.field] = mask;
  } else {
    (draft.pictures[one.field] ??= []).push(pictureOf(one, bitmap ?? (await measured(one.address))));
  }
  bitmap?.close?.();
}

function pictureOf(one, size) {
  const { blob, name, address, url, type } = one;
  return { blob, name, url, type: type ?? blob?.type, address: size ? address : null, width: size?.width, height: size?.height, notes: [] };
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
