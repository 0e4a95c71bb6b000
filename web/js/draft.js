// What a person has entered for each model. It outlives every redraw of the page: another
// language, another prompt or another model and back leave pictures and masks as they were. It
// outlives the page as well, see keptdrafts.js.

import { forgetKeptDrafts, keptDraft } from "./keptdrafts.js";

const drafts = new Map();
const unkept = new WeakSet(); // drafts begun afresh, which somebody else may fill in

/** {values, pictures, masks, maskTools, id, label} of a model's form. */
export function draftOf(model) {
  if (!drafts.has(model.name)) drafts.set(model.name, emptyDraft());
  return drafts.get(model.name);
}

/** The same after what this browser has kept was read, if it was not yet. */
export async function restoredDraft(model) {
  const kept = drafts.has(model.name) ? null : await keptDraft(model.name);
  if (kept && !drafts.has(model.name)) drafts.set(model.name, { ...emptyDraft(), ...kept });
  return draftOf(model);
}

/** Whether a draft was begun afresh and is to be kept as it is now; once. */
export const wasFresh = (draft) => unkept.delete(draft);

export function forgetDrafts() {
  drafts.clear();
  return forgetKeptDrafts();
}

export function startFresh(model) {
  drafts.set(model.name, emptyDraft());
  unkept.add(draftOf(model));
  return draftOf(model);
}

function emptyDraft() {
  return {
    input: {}, // by field; the values of fields that are not pictures
    parameters: {},
    pictures: {}, // by field: a list of pictures, or of {url, name} that lie in the bucket already
    masks: {}, // by field: a Mask
    drawings: {}, // by field: {active, sheet, guide}: a Drawing and the picture it is traced from
    pens: { tool: "brush", size: 6 },
    tools: { tool: "brush", size: 48 },
    id: "",
    label: "",
    prompts: "", // further ones, a line each, see several.js
    chosen: new Set(), // names of the fields a person has set
    sent: null, // {text, key}: the last job sent and its idempotency key
    rolled: null, // the seed of the next job, where a person leaves it to chance, see seed.js
    violations: [],
    notes: [], // what was changed or lost when a job was written for this model
  };
}

export function valueOf(draft, section, name, schema) {
  const value = draft[section][name];
  return value === undefined ? schema.default : value;
}
