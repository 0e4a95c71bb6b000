// What a form lacks before it can be sent, by the schemas and rules the API uses, in its words.
// The API checks again, and knows more.

import { imageRule } from "./catalogue.js";
import { choiceTitle, fieldTitle, fromCatalogue, number, t } from "./i18n.js";
import { canvasOf, settledJob } from "./jobfile.js";
import { boundSchema, found, holds, isThere, schemaAt } from "./rules.js";

const JOB_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const SIZE = /^([1-9]\d{0,4})\*([1-9]\d{0,4})$/;
const CENT = 0.005;

/** [{pointer, message}] */
export function violationsOf(model, draft) {
  const { job, states } = settledJob(model, draft);
  const wrong = [];
  for (const section of ["input", "parameters"]) {
    for (const [name, schema] of Object.entries(model[section].properties ?? {})) {
      const pointer = `/${section}/${name}`;
      const state = states.get(pointer) ?? {};
      if (state.off) continue;
      const required = (model[section].required ?? []).includes(name) || state.required;
      const field = { name, title: fieldTitle(name, schema), schema: boundSchema(schema, state), required, state };
      const message = section === "input" && imageRule(model, name) ? pictureProblem(model, draft, field) : problemOf(job[section][name], field);
      if (message) wrong.push({ pointer, message });
    }
  }
  wrong.push(...model.rules.flatMap((rule) => broken(rule, model, job)));
  const id = draft.id.trim();
  if (id && !JOB_ID.test(id)) wrong.push({ pointer: "/job/id", message: t("form.name.bad") });
  return wrong;
}

function problemOf(value, { title: name, schema, required, state }) {
  if (!isThere(value)) return required ? t("form.missing", { name }) : null;
  const ban = state.banned?.find((one) => one.value === value);
  if (ban) return t("rule.banned", { name, value: choiceTitle(value), reason: fromCatalogue(ban.reason) });
  if (typeof value === "number") return numberProblem(value, schema, name);
  if (typeof value === "string") return textProblem(value, schema, name);
  if (Array.isArray(value)) return listProblem(value, schema, name);
  return null;
}

function pictureProblem(model, draft, { name, title, required }) {
  const canvas = canvasOf(draft, name);
  const drawn = draft.drawings[name]?.active;
  if (canvas?.isEmpty() && (drawn || required)) return t(drawn ? "draw.empty" : "bad.maskEmpty");
  if (canvas || !required || draft.pictures[name]?.length) return null;
  return imageRule(model, name).sameSizeAs ? t("bad.maskEmpty") : t("form.missingImage", { name: title });
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

function listProblem(value, schema, name) {
  const { minItems: min = 0, maxItems: max = Infinity } = schema;
  return value.length < min || value.length > max ? t("form.itemCount", { name, n: value.length, min, max }) : null;
}

function broken(rule, model, job) {
  const check = KINDS[rule.kind];
  return check && holds(rule.when, job, model) ? check(rule, job, model) : [];
}

const KINDS = {
  area: measured((width, height) => [width * height], "rule.area"),
  aspect: measured((width, height) => [width / height], "rule.aspect"),
  sides: measured((width, height) => [width, height], "rule.sides"),
  any_of: anyOf,
  sum,
  same_length: sameLength,
};

function measured(measure, word) {
  return (rule, job) =>
    found(job, rule.at).flatMap(({ pointer, value }) => {
      const size = SIZE.exec(value);
      const numbers = size ? measure(Number(size[1]), Number(size[2])) : [];
      if (numbers.every((one) => one >= rule.min && one <= rule.max)) return [];
      const shown = numbers.map((one) => number(one, one < 100 && !Number.isInteger(one) ? 2 : 0)).join(t("and"));
      return [{ pointer, message: t(word, { shown, reason: fromCatalogue(rule.reason) }) }];
    });
}

function anyOf(rule, job, model) {
  if (rule.at.some((at) => found(job, at).some(({ value }) => isThere(value)))) return [];
  const names = rule.at.map((at) => `“${fieldTitle(at.split("/").pop(), schemaAt(model, at) ?? {})}”`).join(", ");
  return [{ pointer: rule.at[0], message: t("rule.anyOf", { names, reason: fromCatalogue(rule.reason) }) }];
}

function sum(rule, job) {
  const values = found(job, rule.at).map(({ value }) => Number.parseFloat(value));
  const total = values.reduce((all, one) => all + one, 0);
  if (!values.length || Math.abs(total - rule.equals) < CENT) return [];
  return [{ pointer: rule.at.split("/*")[0], message: t("rule.sum", { total: number(total, 2), equals: number(rule.equals, 2), reason: fromCatalogue(rule.reason) }) }];
}

function sameLength(rule, job, model) {
  const [one, other] = [rule.at, rule.as].map((at) => found(job, at)[0]?.value);
  if (!Array.isArray(one) || !Array.isArray(other) || one.length === other.length) return [];
  const as = fieldTitle(rule.as.split("/").pop(), schemaAt(model, rule.as) ?? {});
  return [{ pointer: rule.at, message: t("rule.sameLength", { n: one.length, other: other.length, as, reason: fromCatalogue(rule.reason) }) }];
}
