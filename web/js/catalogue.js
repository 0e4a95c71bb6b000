// The models as the API describes them, in the one shape the page works with.

import { getModels } from "./api.js";

/** @type {ReturnType<typeof readModel>[] | null} */
let models = null;
let tasks = [];

/** @param {string} [as] the token to ask with, of somebody who is not signed in yet */
export async function loadModels(as) {
  if (models) return models;
  const answer = await getModels(as);
  const found = answer.models.filter((model) => model.offered !== false).map(readModel).sort(paintedFirst).sort(goingLast);
  models = found;
  tasks = (answer.tasks ?? []).filter(({ id }) => found.some((model) => Object.hasOwn(model.tasks, id)));
  return found;
}

/** What can be done with the models that are offered, in the order of the API. */
export const allTasks = () => tasks;

export const findTask = (id) => tasks.find((task) => task.id === id);

export function forgetModels() {
  models = null;
}

export function findModel(name) {
  return models?.find((model) => model.name === name);
}

function readModel(raw) {
  return {
    ...raw,
    title: titles(raw),
    tasks: raw.tasks ?? {},
    input: raw.input ?? raw.input_schema ?? { properties: {} },
    parameters: oneImage(raw.parameters ?? raw.parameters_schema ?? { properties: {} }, raw.price),
    images: (raw.images ?? raw.image_rules ?? []).map(readRule),
    rules: raw.rules ?? [],
    status: raw.status ? readStatus(raw.status, raw.notices ?? []) : null,
    notices: raw.notices ?? [],
    price: raw.price ?? null,
    typical: raw.typical_seconds?.value ?? raw.typical_seconds ?? 30,
  };
}

/** Where images cost money one is made unless a person asks for more; the number is always sent. */
function oneImage(parameters, price) {
  const n = parameters.properties?.n;
  if (!price?.payable || !n?.["x-send-default"] || !(n.default > 1)) return parameters;
  return { ...parameters, properties: { ...parameters.properties, n: { ...n, default: 1 } } };
}

/** What most people come for is to paint over a part of a photograph. */
function paintedFirst(one, other) {
  const painted = (model) => Number(model.images.some((rule) => rule.sameSizeAs));
  return painted(other) - painted(one);
}

function goingLast(one, other) {
  const rank = (model) => (isDead(model) ? 2 : Number(Boolean(model.status)));
  return rank(one) - rank(other);
}

function titles(raw) {
  if (typeof raw.title === "string") return { en: raw.title, zh: raw.title_zh ?? raw.title };
  return raw.title ?? { en: raw.name };
}

/** `said`: the notice in which the API says it to everybody; it is not said twice. */
function readStatus({ state, since, reason, reason_zh: zh, successor, convertible = false }, notices) {
  const words = typeof reason === "string" ? { en: reason, zh: zh ?? reason } : reason;
  return { state, since, reason: words, successor: successor?.model ?? successor ?? null, convertible, said: notices.find((one) => one.en.includes(words.en.replace(/\.$/, ""))) };
}

/** Whether nobody should begin with this model any more. */
export const isDead = (model) => ["trial_only", "retired"].includes(model.status?.state);

function readRule(rule) {
  const side = rule.side ?? {};
  return {
    at: rule.at,
    accept: rule.accept ?? rule.formats?.accept ?? [],
    warn: Object.keys(rule.warn ?? rule.formats?.warn ?? {}),
    min: side.min ?? side.smallest ?? 1,
    max: side.max ?? side.largest ?? Infinity,
    shorterMax: side.shorter ?? Infinity,
    exclusive: side.exclusive ?? false,
    advised: side.advised ?? false,
    maxBytes: rule.max_bytes ?? 10485760,
    minBytes: rule.min_bytes ?? 1,
    rgba: rule.rgba ?? false,
    noAlpha: rule.alpha_forbidden ?? rule.alpha?.forbidden ?? [],
    sameSizeAs: rule.same_size_as ?? null,
    marks: rule.marks ?? null,
    aspect: rule.aspect ?? [],
  };
}

/** [{name, schema, required}] of every field of a section; a field of an object is `object/field`. */
export function fieldsOf({ properties = {}, required = [] }) {
  return Object.entries(properties).flatMap(([name, schema]) => {
    if (!schema.properties) return [{ name, schema, required: required.includes(name) }];
    return fieldsOf(schema).map((inner) => ({ ...inner, name: `${name}/${inner.name}` }));
  });
}

/** The fields of a model that hold pictures, as `fieldsOf` has them, each with its rule. */
export const pictureFields = (model) =>
  fieldsOf(model.input).map((one) => ({ ...one, rule: imageRule(model, one.name) })).filter(({ rule }) => rule);

/** What a section of a job holds at a field, undefined if nothing. */
export const valueAt = (section, name) => name.split("/").reduce((value, step) => value?.[step], section);

/** The rule for the images of an input field, single or list; undefined if it holds none. */
export function imageRule(model, field) {
  return model.images.find((rule) => [`/input/${field}`, `/input/${field}/*`].includes(rule.at));
}
