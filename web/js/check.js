// What a form lacks before it can be sent. The API checks again, and knows more.

import { imageRule } from "./catalogue.js";
import { valueOf } from "./draft.js";
import { fieldTitle, fromCatalogue, t } from "./i18n.js";

const JOB_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** [{pointer, message}] */
export function violationsOf(model, draft) {
  const found = [];
  for (const section of ["input", "parameters"]) {
    for (const [name, schema] of Object.entries(model[section].properties ?? {})) {
      const required = (model[section].required ?? []).includes(name);
      const message = problemOf(model, draft, section, name, schema, required);
      if (message) found.push({ pointer: `/${section}/${name}`, message });
    }
  }
  const id = draft.id.trim();
  if (id && !JOB_ID.test(id)) found.push({ pointer: "/job/id", message: t("form.name.bad") });
  return found;
}

function problemOf(model, draft, section, fieldName, schema, required) {
  const name = fieldTitle(fieldName, schema);
  const rule = section === "input" ? imageRule(model, fieldName) : undefined;
  if (rule) return required ? pictureProblem(draft, rule, fieldName, name) : null;
  const value = valueOf(draft, section, fieldName, schema);
  if (value === undefined || String(value).trim() === "") return required ? t("form.missing", { name }) : null;
  if (typeof value === "number") return numberProblem(value, schema, name);
  if (typeof value === "string") return textProblem(value, schema, name);
  return null;
}

function pictureProblem(draft, rule, fieldName, name) {
  const mask = draft.masks[fieldName];
  if (mask) return mask.isEmpty() ? t("bad.maskEmpty") : null;
  if (draft.pictures[fieldName]?.length) return null;
  if (!rule.sameSizeAs) return t("form.missingImage", { name });
  return t("bad.maskEmpty");
}

function numberProblem(value, schema, name) {
  if (schema.type === "integer" && !Number.isInteger(value)) return t("form.notWhole", { name });
  const { minimum: min = -Infinity, maximum: max = Infinity } = schema;
  return value < min || value > max ? t("form.outOfRange", { name, min, max }) : null;
}

function textProblem(value, schema, name) {
  const expected = fromCatalogue(schema["x-expected"] ?? schema.pattern);
  if (schema.pattern && !new RegExp(schema.pattern, "u").test(value)) return t("form.pattern", { name, expected });
  return null;
}
