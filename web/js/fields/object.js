// An object as a group of its fields; objects inside it are not framed again.

import { h } from "../dom.js";
import { isThere } from "../rules.js";
import { makeField } from "./field.js";
import { setValue, shell } from "./shell.js";

export const isObject = (schema) => schema.type === "object" && Boolean(schema.properties);

export function objectField(context) {
  const { section, name, draft } = context;
  const value = structuredClone(draft[section][name] ?? {});
  const fields = partsOf(context, value, `${section}/${name}`, () => setValue(context, withoutEmpty(value)));
  return shell(context, () => h("div", { class: "object" }, fields), { group: true });
}

/** The fields of `value`, which they change in place before `write` is called. */
function partsOf(context, value, section, write) {
  const required = context.schema.required ?? [];
  return Object.entries(context.schema.properties).flatMap(([name, schema]) => {
    if (isObject(schema)) return partsOf({ ...context, schema }, (value[name] ??= {}), `${section}/${name}`, write);
    const draft = { [section]: value, chosen: new Set() };
    return makeField({ ...context, draft, section, name, schema, onChange: write, banned: undefined, required: required.includes(name) });
  });
}

function withoutEmpty(value) {
  const parts = Object.entries(value).map(([name, one]) => [name, isPlainObject(one) ? withoutEmpty(one) : one]);
  const kept = parts.filter(([, one]) => isThere(one));
  return kept.length ? Object.fromEntries(kept) : undefined;
}

const isPlainObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
