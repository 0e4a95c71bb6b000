// What a person has entered for each model. It outlives every redraw of the page: another
// language, another prompt or another model and back leave pictures and masks as they were.

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
    drawings: {}, // by field: {active, sheet, guide}: a Drawing and the picture it is traced from
    pens: { tool: "brush", size: 6 },
    tools: { tool: "brush", size: 48 },
    id: "",
    label: "",
    chosen: new Set(), // names of the fields a person has set
    sent: null, // {text, key}: the last job sent and its idempotency key
    violations: [],
    notes: [], // what was changed or lost when a job was written for this model
  };
}

export function valueOf(draft, section, name, schema) {
  const value = draft[section][name];
  return value === undefined ? schema.default : value;
}
