// What a person has entered for each model. It outlives every redraw of the page: another
// language, another prompt or another model and back leave pictures and masks as they were.

import { imageRule } from "./catalogue.js";

const drafts = new Map();

/** {values, pictures, masks, maskTools, id, label} of a model's form. */
export function draftOf(model) {
  if (!drafts.has(model.name)) drafts.set(model.name, emptyDraft());
  return drafts.get(model.name);
}

export function forgetDrafts() {
  drafts.clear();
}

export function startFresh(model) {
  drafts.set(model.name, emptyDraft());
  return draftOf(model);
}

function emptyDraft() {
  return {
    input: {}, // by field; the values of fields that are not pictures
    parameters: {},
    pictures: {}, // by field: a list of pictures, or of {url, name} that lie in the bucket already
    masks: {}, // by field: a Mask
    tools: { tool: "brush", size: 48 },
    id: "",
    label: "",
    chosen: new Set(), // names of the fields a person has set
    sent: null, // {text, key}: the last job sent and its idempotency key
    violations: [],
  };
}

/** The rule of the field that is painted over another one, if the model has one. */
export function maskRule(model) {
  return model.images.find((rule) => rule.sameSizeAs);
}

export const lastPart = (pointer) => pointer.replace(/\/\*$/, "").split("/").pop();

export function isPictureField(model, name) {
  return Boolean(imageRule(model, name));
}

export function valueOf(draft, section, name, schema) {
  const value = draft[section][name];
  return value === undefined ? schema.default : value;
}

export function imageCount(model, draft) {
  const schema = model.parameters.properties?.n;
  return Number(schema ? valueOf(draft, "parameters", "n", schema) : 1) || 1;
}
