// A list of small objects of texts: a line for each, as many as are wanted.

import { h, replace } from "../dom.js";
import { fieldTitle, fromCatalogue, t } from "../i18n.js";
import { icon } from "../icons.js";
import { setValue, shell } from "./shell.js";

export const isRows = (schema) => schema.type === "array" && columnsOf(schema.items ?? {}).length > 0;

/** [{name, schema}] of what a line holds; nothing where it holds more than texts. */
function columnsOf(items) {
  const columns = Object.entries(items.properties ?? {}).map(([name, schema]) => ({ name, schema }));
  return columns.every(({ schema }) => schema.type === "string") ? columns : [];
}

/** @param {import("./shell.js").FieldContext} context */
export function rowsField(context) {
  const { draft, section, name, schema } = context;
  const columns = columnsOf(schema.items);
  const rows = structuredClone(draft[section][name] ?? []);
  const list = h("div", { class: "rows" });
  const write = () => {
    const filled = rows.filter((row) => Object.values(row).some(Boolean));
    setValue(context, filled.length ? structuredClone(filled) : undefined);
  };
  const change = (at, part, text) => {
    if (text) rows[at][part] = text;
    else delete rows[at][part];
    write();
  };
  const draw = () => {
    const add = () => {
      rows.push({});
      draw();
      list.querySelector(".row:last-of-type input").focus();
    };
    const remove = (at) => {
      rows.splice(at, 1);
      draw();
      write();
    };
    const lines = rows.map((row, at) => line(columns, row, at, change, remove));
    replace(list, lines, h("button", { type: "button", class: "chip-button", onclick: add }, icon("plus"), t("form.addRow")));
  };
  draw();
  return shell(context, () => list, { group: true });
}

function line(columns, row, at, change, remove) {
  const n = at + 1;
  const inputs = columns.map(({ name, schema }) =>
    box(fieldTitle(name, schema), n, row[name], (text) => change(at, name, text), fromCatalogue(schema.description ?? "")),
  );
  const label = t("form.removeRow", { n });
  return h("div", { class: "row" }, inputs, h("button", { type: "button", class: "tool small", title: label, "aria-label": label, onclick: () => remove(at) }, icon("x")));
}

function box(title, n, value, change, help) {
  const said = { placeholder: title, title: help, "aria-label": `${title} ${n}` };
  const input = h("input", { type: "text", value: value ?? "", ...said, oninput: () => change(input.value) });
  return input;
}
