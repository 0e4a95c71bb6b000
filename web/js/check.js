// What a form lacks before it can be sent, by the schemas and rules the API uses, in its words.
// The API checks again, and knows more.

import { fieldsOf, imageRule, valueAt } from "./catalogue.js";
import { capital, fieldTitle, fromCatalogue, t } from "./i18n.js";
import { canvasOf, settledJob } from "./jobfile.js";
import { found, holds, isThere, schemaAt } from "./rules.js";

const JOB_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const SIZE = /^([1-9]\d{0,4})\*([1-9]\d{0,4})$/;
const NEARLY = 0.005;

/** [{pointer, message}] */
export function violationsOf(model, draft) {
  const { job, states } = settledJob(model, draft);
  const wrong = [];
  for (const section of ["input", "parameters"]) {
    for (const { name, schema, required: always } of fieldsOf(model[section])) {
      const pointer = `/${section}/${name}`;
      const state = states.get(pointer) ?? {};
      if (state.off) continue;
      const required = always || state.required;
      const field = { name, title: fieldTitle(name, schema), schema, required };
      const value = valueAt(job[section], name);
      const message = section === "input" && imageRule(model, name) ? pictureProblem(model, draft, field) : problemOf(value, field);
      if (message) wrong.push({ pointer, message });
      else wrong.push(...insideOf(value, schema, pointer));
    }
  }
  wrong.push(...model.rules.flatMap((rule) => broken(rule, model, job)));
  const id = draft.id.trim();
  if (id && !JOB_ID.test(id)) wrong.push({ pointer: "/job/id", message: t("form.name.bad") });
  return wrong;
}

function problemOf(value, { title: name, schema, required }) {
  if (!isThere(value)) return required ? t("form.missing", { name }) : null;
  if (typeof value === "number") return numberProblem(value, schema, name);
  if (typeof value === "string") return textProblem(value, schema, name);
  if (Array.isArray(value)) return listProblem(value, schema, name);
  return null;
}

/** What is wrong with the parts of the objects of a list. */
function insideOf(value, { items: { properties = {}, required = [] } = {} }, pointer) {
  const parts = Array.isArray(value) ? Object.entries(properties) : [];
  return parts.flatMap(([name, schema]) =>
    value.flatMap((one, at) => {
      const message = problemOf(one[name], { title: fieldTitle(name, schema), schema, required: required.includes(name) });
      return message ? [{ pointer: `${pointer}/${at}/${name}`, message }] : [];
    }),
  );
}

function pictureProblem(model, draft, { name, title, schema, required }) {
  const canvas = canvasOf(draft, name);
  const drawn = draft.drawings[name]?.active;
  if (canvas?.isEmpty() && (drawn || required)) return t(drawn ? "draw.empty" : "bad.maskEmpty");
  const count = draft.pictures[name]?.length ?? 0;
  if (count && count < (schema.minItems ?? 0)) return t("form.fewImages", { name: title, n: count, min: schema.minItems });
  if (canvas || !required || count) return null;
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

/** What turns a field off or makes it necessary is in its state already. */
const KINDS = {
  area: measured((width, height) => [width * height], "rule.area"),
  aspect: measured((width, height) => [width / height], "rule.aspect"),
  sides: measured((width, height) => [width, height], "rule.sides"),
  bounds_if: (rule, job) => each(rule, job, (value) => isOutside(Array.isArray(value) ? value.length : value, rule)),
  forbidden_if: (rule, job) => each(rule, job, (value) => "value" in rule && value === rule.value),
  values_if: (rule, job) => each(rule, job, (value) => isThere(value) && !rule.values.includes(value)),
  any_of: (rule, job) => (rule.at.some((at) => found(job, at).some(({ value }) => isThere(value))) ? [] : [said(rule, rule.at[0])]),
  sum,
  same_length: sameLength,
  total_length: totalLength,
};

const isOutside = (value, { min, max }) => typeof value === "number" && (value < min || value > max);

function each(rule, job, isWrong) {
  return found(job, rule.at).filter(({ value }) => isWrong(value)).map(({ pointer }) => said(rule, pointer));
}

/** The reason alone, or a sentence that ends with it. */
function said(rule, pointer, word = "rule.reason", values = {}) {
  return { pointer, message: capital(t(word, { ...values, reason: fromCatalogue(rule.reason) })) };
}

function measured(measure, word) {
  return (rule, job) =>
    found(job, rule.at).flatMap(({ pointer, value }) => {
      const size = SIZE.exec(value);
      const numbers = size ? measure(Number(size[1]), Number(size[2])) : [];
      if (numbers.every((one) => one >= rule.min && one <= rule.max)) return [];
      return [said(rule, pointer, word, { shown: numbers.map(plain).join(t("and")) })];
    });
}

const plain = (value) => (value < 100 ? Number(value.toPrecision(6)) : Math.round(value));

function sum(rule, job) {
  const values = found(job, rule.at).map(({ value }) => Number.parseFloat(value));
  const total = values.reduce((all, one) => all + one, 0);
  if (!values.length || Math.abs(total - rule.equals) < NEARLY) return [];
  return [said(rule, rule.at.split("/*")[0], "rule.sum", { total: Number(total.toPrecision(6)), equals: rule.equals })];
}

function totalLength(rule, job) {
  const lists = rule.at.flatMap((at) => found(job, at)).filter(({ value }) => Array.isArray(value) && value.length);
  const total = lists.reduce((all, { value }) => all + value.length, 0);
  return total > rule.max ? [said(rule, lists[0].pointer, "rule.totalLength", { n: total })] : [];
}

function sameLength(rule, job, model) {
  const [one, other] = [rule.at, rule.as].map((at) => found(job, at)[0]?.value);
  if (!Array.isArray(one) || !Array.isArray(other) || one.length === other.length) return [];
  const as = fieldTitle(rule.as.split("/").pop(), schemaAt(model, rule.as) ?? {});
  return [said(rule, rule.at, "rule.sameLength", { n: one.length, other: other.length, as })];
}
