// From a form to a job file.

import { fieldsOf, imageRule, pictureFields, valueAt } from "./catalogue.js";
import { boundSchema, isThere, settled } from "./rules.js";
import { upload, uploadPicture } from "./upload.js";

const NOT_UPLOADED = "…";

/** The job of a form, after whatever is not in the bucket yet was uploaded. Raises ApiError. */
export async function finishedJob(model, draft) {
  const { job } = settledJob(model, draft);
  const fields = pictureFields(model).filter(({ name }) => valueAt(job.input, name));
  for (const { name } of fields) {
    if (canvasOf(draft, name)) await uploadCanvas(model, draft, name);
    else await Promise.all((draft.pictures[name] ?? []).map((one) => uploadPicture(one)));
  }
  return jobOf(model, draft);
}

/** The job of a form as it is: what has no effect is left out, what costs money is written out. */
export function jobOf(model, draft) {
  const { job, states } = settledJob(model, draft);
  for (const [name, schema] of Object.entries(model.parameters.properties ?? {})) {
    const state = states.get(`/parameters/${name}`);
    if (name in job.parameters || !schema["x-send-default"] || state?.off) continue;
    const standard = boundSchema(schema, state).default;
    if (standard !== undefined) job.parameters[name] = standard;
  }
  if (!Object.keys(job.parameters).length) delete job.parameters;
  const own = {};
  if (draft.id.trim()) own.id = draft.id.trim();
  if (draft.label.trim()) own.labels = { label: draft.label.trim() };
  if (Object.keys(own).length) job.job = own;
  return job;
}

/** {job, states} of what a person has entered, see `settled`. */
export function settledJob(model, draft) {
  const parameters = filled(model.parameters, (name) => draft.parameters[name]);
  const input = filled(model.input, (name, schema) => (imageRule(model, name) ? addressOf(draft, name, schema) : draft.input[name]));
  return settled(model, { model: model.name, input, parameters });
}

function filled(section, read) {
  const whole = {};
  for (const { name, schema } of fieldsOf(section)) {
    const value = read(name, schema);
    if (!isThere(value)) continue;
    const steps = name.split("/");
    const last = steps.pop();
    steps.reduce((part, step) => (part[step] ??= {}), whole)[last] = value;
  }
  return whole;
}

/**
 * What is painted or drawn in the browser for a field, if that is what the field holds. A mask of an
 * earlier job that cannot be shown holds until something is painted.
 */
export function canvasOf(draft, name) {
  const drawing = draft.drawings[name];
  if (drawing?.active) return drawing.sheet;
  const mask = draft.masks[name];
  return mask?.isEmpty() && draft.pictures[name]?.length ? undefined : mask;
}

function addressOf(draft, name, schema) {
  const canvas = canvasOf(draft, name);
  if (canvas && !canvas.isEmpty()) return asListed(schema, [canvas.url ?? NOT_UPLOADED]);
  return asListed(schema, (draft.pictures[name] ?? []).map((picture) => picture.url ?? NOT_UPLOADED));
}

const asListed = (schema, addresses) => (schema.type === "array" ? addresses : addresses[0]);

/** A mask or drawing is uploaded once for each state of its pixels. */
async function uploadCanvas(model, draft, name) {
  const canvas = canvasOf(draft, name);
  if (canvas.url && canvas.urlVersion === canvas.version) return;
  const { version } = canvas;
  canvas.url = await upload(await canvas.toPng(), fileName(model, draft, name), "image/png");
  canvas.urlVersion = version;
}

function fileName(model, draft, name) {
  if (draft.drawings[name]?.active) return "drawing.png";
  const base = draft.pictures[imageRule(model, name).sameSizeAs.split("/").pop()]?.[0];
  return `${(base?.name ?? "picture").replace(/\.[^.]*$/, "")}-mask.png`;
}
