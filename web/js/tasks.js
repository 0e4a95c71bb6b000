// What people want to do: which models do it, and the form of a model for one task alone.

import { imageRule, isDead } from "./catalogue.js";
import { mainOf } from "./versions.js";

/** The models that do a task: the recommended ones first, those at an end last. */
export function modelsFor(task, models) {
  const place = ({ name }) => (task.recommended.indexOf(name) + 1 || task.recommended.length + 1);
  const end = (model) => (isDead(model) ? 2 : Number(Boolean(model.status)));
  return models
    .filter((model) => does(model, task) && mainOf(model, models) === model)
    .sort((one, other) => end(one) - end(other) || place(one) - place(other));
}

export const does = (model, task) => Object.hasOwn(model.tasks, task.id);

/** The model with the fields and values of one task alone. */
export function narrowed(model, task) {
  const [input, parameters] = ["input", "parameters"].map((section) => {
    const properties = {};
    for (const [name, schema] of Object.entries(model[section].properties ?? {})) {
      const fits = narrowedField(model, task, section, name, schema);
      if (fits) properties[name] = fits;
    }
    return { ...model[section], properties };
  });
  input.required = [...new Set([...(input.required ?? []), ...neededPictures(model, task)])];
  return { ...model, input, parameters };
}

function narrowedField(model, task, section, name, schema) {
  const values = model.tasks[task.id][`/${section}/${name}`];
  if (values) return { ...schema, enum: values, fixed: values.length === 1 };
  if (section !== "input" || !imageRule(model, name)) return schema;
  if (task.pictures.max === 0) return null;
  return schema.type === "array" ? { ...schema, minItems: Math.max(schema.minItems ?? 0, task.pictures.min) } : schema;
}

function neededPictures(model, task) {
  if (!task.pictures.min) return [];
  const lists = Object.entries(model.input.properties).filter(([name, { type }]) => type === "array" && imageRule(model, name));
  return lists.map(([name]) => name);
}

/** Sets what the task needs, where something else is set. */
export function prepare(draft, model, task) {
  for (const [pointer, values] of Object.entries(model.tasks[task.id])) {
    const [, section, name] = pointer.split("/");
    const now = draft[section][name] ?? model[section].properties[name].default;
    if (!values.includes(now)) draft[section][name] = values[0];
  }
}
