// The frame of every field: label, help, control, and the place where its error appears.

import { h, uid } from "../dom.js";
import { icon } from "../icons.js";
import { fieldTitle, fromCatalogue, t } from "../i18n.js";

/**
 * `context` is {model, draft, section, name, schema, required, onChange}; `make(ids)` gives the
 * control, to which it ties `ids.control` and `ids.described`. A control of many parts is a group.
 */
export function shell(context, make, { group = false, aside = null } = {}) {
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

/** Shows or clears the error of a field that `shell` made. */
export function showError(element, message) {
  const place = element.querySelector(":scope > .error");
  place.hidden = !message;
  place.replaceChildren();
  if (message) place.append(icon("alert"), h("span", {}, message));
  element.classList.toggle("invalid", Boolean(message));
  for (const control of element.querySelectorAll("input, textarea, select")) {
    if (control.type !== "file") control.setAttribute("aria-invalid", String(Boolean(message)));
  }
}

/** Sets a value of the form and says so. The default is kept out: it need not be sent. */
export function setValue({ draft, section, name, schema, onChange }, value) {
  if (section !== "input") draft.chosen.add(name);
  const same = JSON.stringify(value) === JSON.stringify(schema.default);
  if (value === undefined || same) delete draft[section][name];
  else draft[section][name] = value;
  onChange(`/${section}/${name}`);
}
