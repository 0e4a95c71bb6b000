// From a form to a job file.

import { imageRule } from "./catalogue.js";
import { maskRule } from "./draft.js";
import { upload, uploadPicture } from "./upload.js";

/** The job of a form, after whatever is not in the bucket yet was uploaded. Raises ApiError. */
export async function finishedJob(model, draft) {
  await uploadMasks(model, draft);
  for (const list of Object.values(draft.pictures)) await Promise.all(list.map((one) => uploadPicture(one)));
  return jobOf(model, draft);
}

/** The job of a form as it is. */
export function jobOf(model, draft) {
  const job = { model: model.name, input: inputOf(model, draft) };
  const parameters = parametersOf(model, draft);
  if (Object.keys(parameters).length) job.parameters = parameters;
  const own = {};
  if (draft.id.trim()) own.id = draft.id.trim();
  if (draft.label.trim()) own.labels = { label: draft.label.trim() };
  if (Object.keys(own).length) job.job = own;
  return job;
}

function inputOf(model, draft) {
  const input = {};
  for (const [name, schema] of Object.entries(model.input.properties ?? {})) {
    const value = imageRule(model, name) ? addressOf(draft, name, schema) : draft.input[name];
    if (!isEmpty(value)) input[name] = value;
  }
  return input;
}

function addressOf(draft, name, schema) {
  if (draft.masks[name]?.url) return draft.masks[name].url;
  const addresses = (draft.pictures[name] ?? []).map((picture) => picture.url ?? "");
  return schema.type === "array" ? addresses : addresses[0];
}

function parametersOf(model, draft) {
  const parameters = {};
  for (const [name, schema] of Object.entries(model.parameters.properties ?? {})) {
    const chosen = draft.parameters[name];
    if (chosen !== undefined && !isEmpty(chosen)) parameters[name] = chosen;
    else if (schema["x-send-default"]) parameters[name] = schema.default;
  }
  return parameters;
}

function isEmpty(value) {
  if (value === undefined || value === null) return true;
  if (typeof value === "string") return value.trim() === "";
  return Array.isArray(value) && value.length === 0;
}

/** A mask is uploaded once for each state of its pixels. */
async function uploadMasks(model, draft) {
  const rule = maskRule(model);
  for (const [name, mask] of Object.entries(draft.masks)) {
    if (mask.url && mask.urlVersion === mask.version) continue;
    const { version } = mask;
    const base = draft.pictures[rule.sameSizeAs.split("/").pop()]?.[0];
    const stem = (base?.name ?? "picture").replace(/\.[^.]*$/, "");
    mask.url = await upload(await mask.toPng(), `${stem}-mask.png`, "image/png");
    mask.urlVersion = version;
    draft.masks[name] = mask;
  }
}
