// The frame of every field: label, help, control, and the place where its error appears.

import { h, uid } from "../dom.js";
import { icon } from "../icons.js";
import { fieldTitle, fromCatalogue, t } from "../i18n.js";

/**
 * What a field is made of and for.
 * @typedef {object} FieldContext
 * @property {any} [model] as `catalogue.js` reads it
 * @property {any} draft what a person has entered, see `draft.js`
 * @property {"input"|"parameters"|"job"} section of the job
 * @property {string} name of the field; in an object `object/field`
 * @property {any} schema as the rules make it now
 * @property {string} [title] instead of the schema's
 * @property {any} [rule] of the images that the field holds
 * @property {boolean} [required]
 * @property {{value: any, reason: string}[]} [banned] choices that a rule forbids
 * @property {boolean|string} [drawable] whether a sketch can be drawn; the parameter that says it is one
 * @property {boolean} [compact] whether the picture is shown large elsewhere
 * @property {(pointer: string, how?: {makeAgain?: string|null}) => void} onChange
 */

/**
 * `make(ids)` gives the control, to which it ties `ids.control` and `ids.described`. A control of many
 * parts is a group.
 * @param {FieldContext} context
 * @param {(ids: Record<string, string>) => any} make
 * @param {{group?: boolean, aside?: (HTMLElement|null)[]}} [how]
 * @returns {HTMLElement}
 */
export function shell(context, make, { group = false, aside = [] } = {}) {
  const ids = { control: uid("field"), help: uid("help"), error: uid("error"), label: uid("label") };
  ids.described = `${ids.help} ${ids.error}`;
  const { name, schema, section } = context;
  const title = context.title ?? fieldTitle(name, schema);
  const help = h("p", { class: "help", id: ids.help }, fromCatalogue(schema.description ?? ""));
  const error = h("p", { class: "error", id: ids.error, hidden: true });
  const plain = context.required || schema.default !== undefined;
  const mark = plain ? null : h("span", { class: "optional" }, t("form.optional"));
  const head = group
    ? h("legend", { id: ids.label }, title, mark)
    : h("label", { for: ids.control, id: ids.label }, title, mark);
  const attributes = { class: "field", "data-pointer": `/${section}/${name}` };
  if (group) attributes["aria-describedby"] = ids.described;
  const element = h(group ? "fieldset" : "div", attributes, head, make(ids), aside, error, help);
  return element;
}

/**
 * Shows or clears the error of a field that `shell` made.
 * @param {HTMLElement} element
 * @param {string} [message]
 */
export function showError(element, message) {
  const place = /** @type {HTMLElement} */ (element.querySelector(":scope > .error"));
  place.hidden = !message;
  place.replaceChildren();
  if (message) place.append(icon("alert"), h("span", {}, message));
  element.classList.toggle("invalid", Boolean(message));
  for (const control of element.querySelectorAll("input, textarea, select")) {
    if (control.getAttribute("type") !== "file") control.setAttribute("aria-invalid", String(Boolean(message)));
  }
}

/**
 * Sets a value of the form and says so. The default is kept out: it need not be sent.
 * @param {FieldContext} context
 * @param {any} value
 */
export function setValue({ draft, section, name, schema, onChange }, value) {
  if (section !== "input") draft.chosen.add(name);
  const same = JSON.stringify(value) === JSON.stringify(schema.default);
  if (value === undefined || same) delete draft[section][name];
  else draft[section][name] = value;
  onChange(`/${section}/${name}`);
}
