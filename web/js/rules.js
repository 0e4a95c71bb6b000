// Rules across the fields of a job, as the model's file declares them and the API applies them.
// Here is no DOM: a job goes in, what the rules make of each field comes out.

const OFF = new Set(["forbidden_if", "ignored_if"]);
const OF_VALUES = new Set(["values_if", "bounds_if"]);

/** [{pointer, value}] of everything in the job that the pattern fits; `*` is every item of a list. */
export function found(job, pattern) {
  let places = [{ pointer: "", value: job }];
  for (const step of pattern.split("/").slice(1)) places = places.flatMap((place) => entered(place, step));
  return places;
}

function entered({ pointer, value }, step) {
  if (value === null || typeof value !== "object") return [];
  if (step === "*" && Array.isArray(value)) return value.map((item, at) => ({ pointer: `${pointer}/${at}`, value: item }));
  return Object.hasOwn(value, step) ? [{ pointer: `${pointer}/${step}`, value: value[step] }] : [];
}

/** The schema of the field a pointer leads to or into. */
export function schemaAt(model, pointer) {
  const [, section, ...steps] = pointer.split("/");
  const inner = (schema, step, at) => (step === "*" ? schema?.items : schema?.properties?.[step] ?? (at ? schema : undefined));
  return steps.reduce(inner, model[section]);
}

/** Whether a condition holds, or each of a list of them. An absent field counts as its default. */
export function holds(when, job, model) {
  return [when ?? []].flat().every((one) => holdsOne(one, job, model));
}

function holdsOne(condition, job, model) {
  const there = found(job, condition.at).filter(({ value }) => isThere(value));
  if ("present" in condition) return (there.length > 0) === condition.present;
  const standard = defaultAt(model, condition.at, job);
  const values = there.length ? there.map(({ value }) => value) : standard === undefined ? [] : [standard];
  return values.some((value) => ("in" in condition ? condition.in.includes(value) : value === condition.equals));
}

/** What a field that is left out counts as, undefined if nothing. */
export function defaultAt(model, pointer, job) {
  const schema = schemaAt(model, pointer) ?? {};
  const other = schema["x-default-if"]?.find((one) => holds(one.when, job, model));
  return (other ? other.default : schema.default) ?? undefined;
}

export function isThere(value) {
  if (value === undefined || value === null) return false;
  if (typeof value === "string") return value.trim() !== "";
  return !Array.isArray(value) || value.length > 0;
}

/**
 * {job, states}: the job without the fields that have no effect or are forbidden, and by pointer
 * what the rules make of each field they name: {off, hidden, note, required, min, max, banned}.
 * `off` is the reason; a field is `hidden` if what turns it off is a choice that a person made.
 */
export function settled(model, job) {
  const kept = structuredClone(job);
  const states = new Map();
  const state = (at) => states.get(at) ?? states.set(at, {}).get(at);
  for (const rule of model.rules.filter(turnsOff)) {
    if (isDoubted(rule, model, kept)) continue;
    if (holds(rule.when, kept, model) || isUndecided(rule, kept, model)) turnOff(model, rule, kept, state(rule.at));
  }
  for (const pointer of withOtherDefaults(model)) state(pointer).default = defaultAt(model, pointer, kept) ?? null;
  for (const rule of model.rules) {
    if (!APPLY[rule.kind] || states.get(rule.at)?.off || !holds(rule.when, kept, model)) continue;
    APPLY[rule.kind](state(rule.at), rule, schemaAt(model, rule.at));
  }
  return { job: kept, states };
}

const turnsOff = (rule) => OFF.has(rule.kind) && !("value" in rule);

/** What drives the cost is sent, unless it has no default now; that it may have no effect is said beside it. */
function isDoubted(rule, model, job) {
  const isSent = schemaAt(model, rule.at)?.["x-send-default"] && defaultAt(model, rule.at, job) !== undefined;
  return rule.kind === "ignored_if" && Boolean(isSent);
}

/** Nothing that belongs to one mode is of use before a mode without default is chosen. */
function isUndecided(rule, job, model) {
  return [rule.when].flat().some(({ at }) => isMode(model, at) && !found(job, at).length && defaultAt(model, at, job) === undefined);
}

function turnOff(model, rule, job, state) {
  Object.assign(state, { off: rule.reason, hidden: [rule.when].flat().some((one) => isMode(model, one.at)) });
  const [, section, name] = rule.at.split("/");
  delete job[section]?.[name];
}

const APPLY = {
  required_if: (state) => (state.required = true),
  ignored_if: (state, rule) => (state.note = rule.reason),
  bounds_if: (state, { min, max }) => {
    if (min !== undefined) state.min = Math.max(min, state.min ?? min);
    if (max !== undefined) state.max = Math.min(max, state.max ?? max);
  },
  forbidden_if: (state, rule) => {
    if ("value" in rule) (state.banned ??= []).push({ value: rule.value, reason: rule.reason });
  },
  values_if: (state, { values, reason }, schema) => {
    const others = (schema?.enum ?? []).filter((value) => !values.includes(value));
    (state.banned ??= []).push(...others.map((value) => ({ value, reason })));
  },
};

/** Whether a field chooses what the model does: an enumeration on which it hangs which fields there are. */
export function isMode(model, pointer) {
  return Array.isArray(schemaAt(model, pointer)?.enum) && conditions(model).some(({ at }) => at === pointer);
}

/** Whether a field is there in some modes only. */
export function belongsToMode(model, pointer) {
  const about = model.rules.filter((rule) => rule.at === pointer && OFF.has(rule.kind));
  return about.some((rule) => [rule.when ?? []].flat().some((one) => isMode(model, one.at)));
}

const conditions = (model) => model.rules.filter((rule) => !OF_VALUES.has(rule.kind) && !("value" in rule)).flatMap((rule) => [rule.when ?? []].flat());

function withOtherDefaults(model) {
  return ["input", "parameters"].flatMap((section) =>
    Object.entries(model[section].properties ?? {}).filter(([, schema]) => schema["x-default-if"]).map(([name]) => `/${section}/${name}`));
}

/** A field's schema with the bounds and the default that hold now; the default lies in the bounds. */
export function boundSchema(schema, state = {}) {
  const bound = { ...schema };
  if ("default" in state) bound.default = state.default ?? undefined;
  if (state.min === undefined && state.max === undefined) return bound;
  bound.minimum = Math.max(schema.minimum ?? -Infinity, state.min ?? -Infinity);
  bound.maximum = Math.min(schema.maximum ?? Infinity, state.max ?? Infinity);
  if (typeof bound.default === "number") bound.default = Math.min(bound.maximum, Math.max(bound.minimum, bound.default));
  for (const key of ["minimum", "maximum"]) if (!Number.isFinite(bound[key])) delete bound[key];
  return bound;
}
