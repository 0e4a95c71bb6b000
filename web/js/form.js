// The form of a model, drawn from its schemas and rules: what it shall do, pictures, words, settings.

import { catchFor } from "./catchfiles.js";
import { fieldsOf, imageRule } from "./catalogue.js";
import { h } from "./dom.js";
import { fromCatalogue, inPageLanguage, t } from "./i18n.js";
import { makeField } from "./fields/field.js";
import { lineField } from "./fields/line.js";
import { maskField } from "./fields/maskfield.js";
import { picturesField } from "./fields/pictures.js";
import { showError } from "./fields/shell.js";
import { settledJob } from "./jobfile.js";
import { belongsToMode, boundSchema, isMode } from "./rules.js";
import { suggestSize } from "./sizes.js";

const SHOWN_AT_ONCE = new Set(["style", "size", "n"]);

/**
 * {element, showViolations}. `onChange(pointer)` is called after every change of the draft;
 * `foot` is placed under the settings.
 */
export function buildForm(model, draft, onChange, foot) {
  const changed = (pointer, { makeAgain = null } = {}) => {
    const { states } = settledJob(model, draft);
    for (const one of entries) {
      if (one.pointer === makeAgain) one.shown = null;
      one.refresh(states.get(one.pointer) ?? {}, states);
    }
    const seen = pictures.filter((one) => !one.element.hidden).length;
    element.classList.toggle("without-pictures", !entries.some((one) => one.picture && !one.element.hidden));
    element.classList.toggle("many-pictures", seen > 1 && !pictures.some((one) => one.painted && !one.element.hidden));
    const size = model.parameters.properties?.size;
    if (size) suggestSize(model, draft, boundSchema(size, states.get("/parameters/size")), element);
    onChange(pointer);
  };
  const given = entriesOf(model, draft, "input", changed);
  const input = given.filter((one) => !one.name.includes("/"));
  const settings = entriesOf(model, draft, "parameters", changed);
  const entries = [...given, ...settings];
  const inner = given.filter((one) => !input.includes(one));
  const modes = input.filter((one) => isMode(model, one.pointer));
  const pictures = input.filter((one) => one.picture);
  const words = input.filter((one) => !one.picture && !modes.includes(one));
  const atOnce = (one) => SHOWN_AT_ONCE.has(one.name) || isMode(model, one.pointer) || belongsToMode(model, one.pointer);
  const element = h(
    "div",
    { class: "form" },
    modes.length ? h("section", { class: "form-modes card", "aria-label": t("form.modes") }, places(modes)) : null,
    h("section", { class: "form-pictures card", "aria-label": t("form.pictures") }, places(pictures)),
    h(
      "section",
      { class: "form-words card", "aria-label": t("form.settings") },
      h("div", { class: "form-part" }, places(words)),
      h("div", { class: "form-part" }, places(settings.filter(atOnce))),
      h("details", { class: "more" }, h("summary", {}, t("form.more")), h("div", {}, places([...settings.filter((one) => !atOnce(one)), ...inner]), jobFields(draft, changed))),
      foot,
    ),
  );
  changed("");
  catchFor(element, () => entries.filter((one) => one.take && !one.element.hidden));
  return { element, showViolations: (found) => showViolations(element, found) };
}

const places = (entries) => entries.map((one) => one.element);

/** [{name, pointer, picture, element, refresh}]: `element` stays, what is in it follows the rules. */
function entriesOf(model, draft, section, onChange) {
  return fieldsOf(model[section]).map(({ name, schema, required }) => {
    const rule = section === "input" ? imageRule(model, name) : undefined;
    const context = { model, draft, section, name, schema, rule, onChange, required };
    const entry = { name, pointer: `/${section}/${name}`, picture: Boolean(rule), painted: Boolean(rule?.sameSizeAs), element: h("div", { class: "entry" }), shown: null };
    entry.refresh = (state, states) => refresh(entry, context, state, states);
    return entry;
  });
}

/** Makes the field again where a rule came to apply or no longer does. */
function refresh(entry, context, state, states) {
  const compact = entry.picture && isPaintedOver(context, states);
  const drawable = entry.picture && drawableBy(context);
  const drawing = context.draft.drawings[entry.name];
  if (drawing && !drawable) drawing.active = false;
  const key = JSON.stringify([state, drawable, compact]);
  if (entry.shown !== key) {
    const { off, hidden, note, required, banned } = state;
    const schema = boundSchema(context.schema, state);
    const made = fieldOf({ ...context, schema, banned, drawable, compact, required: context.required || Boolean(required) });
    entry.follow = made.refresh ?? (() => {});
    Object.assign(entry, { take: made.take, room: made.room });
    entry.element.hidden = Boolean(hidden) || hasOneValue(schema);
    entry.element.replaceChildren(made.element);
    if (off && !hidden) disable(made.element);
    const why = off ?? note;
    if (why && !hidden) made.element.append(h("p", { class: "help why" }, fromCatalogue(why)));
    entry.shown = key;
  }
  entry.follow();
}

const hasOneValue = (schema) => schema.fixed || (schema.minimum !== undefined && schema.minimum === schema.maximum);

function fieldOf(context) {
  if (!context.rule) return { element: makeField(context) };
  return context.rule.sameSizeAs ? maskField(context) : picturesField(context);
}

/** Whether a mask is painted over the picture now: then it is shown large there. */
function isPaintedOver({ model, section, name }, states) {
  const masks = model.images.filter((rule) => rule.sameSizeAs === `/${section}/${name}`);
  return masks.some(({ at }) => !states.get(at)?.off);
}

/** True where lines are expected anyway; the parameter to set where a model takes sketches as well. */
function drawableBy({ model, draft, rule }) {
  if (rule.sameSizeAs || rule.at.endsWith("/*")) return false;
  if (rule.marks?.what === "lines") return true;
  const name = "is_sketch";
  if (!model.parameters.properties?.[name] || settledJob(model, draft).states.get(`/parameters/${name}`)?.off) return false;
  return name;
}

function disable(field) {
  field.classList.add("off");
  for (const control of field.querySelectorAll("input, textarea, select, button")) control.disabled = true;
}

/** What the system itself adds to a job. */
function jobFields(draft, onChange) {
  return ["id", "label"].map((name) => {
    const title = t(name === "id" ? "form.name" : "form.label");
    const description = t(name === "id" ? "form.name.help" : "form.label.help");
    const schema = { type: "string", description };
    return lineField({ draft, section: "job", name, schema, title, onChange });
  });
}

const isAt = (place, pointer) => place === pointer || Boolean(place?.startsWith(`${pointer}/`));

/** Puts every violation under its field; answers the fields that have one, in the page's order. */
function showViolations(form, found) {
  const fields = [...form.querySelectorAll(".field")];
  for (const field of fields) {
    const { pointer } = field.dataset;
    const inner = [...field.querySelectorAll(".field")].map((one) => one.dataset.pointer);
    const fits = found.filter((one) => isAt(one.pointer, pointer) && !inner.some((below) => isAt(one.pointer, below)));
    showError(field, fits.map((one) => inPageLanguage(one, "message")).join(" "));
  }
  const wrong = fields.filter((field) => field.classList.contains("invalid"));
  for (const field of wrong) field.closest("details")?.setAttribute("open", "");
  return wrong;
}
