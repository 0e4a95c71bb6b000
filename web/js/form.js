// The form of a model, drawn from its schemas: pictures first, then words, then settings.

import { imageRule } from "./catalogue.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { makeField } from "./fields/field.js";
import { lineField } from "./fields/line.js";
import { maskField } from "./fields/maskfield.js";
import { picturesField } from "./fields/pictures.js";
import { showError } from "./fields/shell.js";
import { suggestSize } from "./suitablesize.js";

const SHOWN_AT_ONCE = new Set(["style", "size", "n"]);

/**
 * {element, showViolations}. `onChange(pointer)` is called after every change of the draft;
 * `foot` is placed under the settings.
 */
export function buildForm(model, draft, onChange, foot) {
  const masks = [];
  const changed = (pointer) => {
    for (const mask of masks) mask.refresh();
    suggestSize(model, draft, element);
    onChange(pointer);
  };
  const input = fieldsOf(model, draft, "input", changed, masks);
  const settings = fieldsOf(model, draft, "parameters", changed, masks);
  const pictures = input.filter((one) => one.picture);
  const words = input.filter((one) => !one.picture);
  const first = settings.filter((one) => SHOWN_AT_ONCE.has(one.name));
  const more = [...settings.filter((one) => !SHOWN_AT_ONCE.has(one.name)), ...jobFields(draft, changed)];
  const element = h(
    "div",
    { class: "form" },
    h("section", { class: "form-pictures card", "aria-label": t("form.pictures") }, pictures.map((one) => one.element)),
    h(
      "section",
      { class: "form-words card", "aria-label": t("form.settings") },
      words.map((one) => one.element),
      first.map((one) => one.element),
      h("details", { class: "more" }, h("summary", {}, t("form.more")), h("div", {}, more.map((one) => one.element))),
      foot,
    ),
  );
  return { element, showViolations: (found) => showViolations(element, found) };
}

function fieldsOf(model, draft, section, onChange, masks) {
  const { properties = {}, required = [] } = model[section];
  return Object.entries(properties).map(([name, schema]) => {
    const rule = section === "input" ? imageRule(model, name) : undefined;
    const context = { model, draft, section, name, schema, rule, onChange, required: required.includes(name) };
    if (!rule) return { name, element: makeField(context) };
    if (!rule.sameSizeAs) return { name, picture: true, element: picturesField(context) };
    const mask = maskField(context);
    masks.push(mask);
    return { name, picture: true, element: mask.element };
  });
}

/** What the system itself adds to a job. */
function jobFields(draft, onChange) {
  return ["id", "label"].map((name) => {
    const title = t(name === "id" ? "form.name" : "form.label");
    const description = t(name === "id" ? "form.name.help" : "form.label.help");
    const schema = { type: "string", description };
    return { name, element: lineField({ draft, section: "job", name, schema, title, onChange }) };
  });
}

/** Puts every violation under its field; answers the fields that have one, in the page's order. */
function showViolations(form, found) {
  const fields = [...form.querySelectorAll(".field")];
  for (const field of fields) {
    const { pointer } = field.dataset;
    const fits = found.filter((one) => one.pointer === pointer || one.pointer?.startsWith(`${pointer}/`));
    showError(field, fits.map((one) => one.message).join(" "));
  }
  const wrong = fields.filter((field) => field.classList.contains("invalid"));
  for (const field of wrong) field.closest("details")?.setAttribute("open", "");
  return wrong;
}
