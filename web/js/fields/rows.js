// A list of texts, or of small objects of texts: a line for each, as many as are wanted.

import { h, replace } from "../dom.js";
import { fieldTitle, fromCatalogue, t } from "../i18n.js";
import { icon } from "../icons.js";
import { setValue, shell } from "./shell.js";

export function isRows(schema) {
  if (schema.type !== "array") return false;
  const { items = {} } = schema;
  return items.type === "string" || columnsOf(items).length > 0;
}

/** [{name, schema}] of what a line holds; nothing where it holds more than texts. */
function columnsOf(items) {
  const columns = Object.entries(items.properties ?? {}).map(([name, schema]) => ({ name, schema }));
  return columns.every(({ schema }) => schema.type === "string") ? columns : [];
}

export function rowsField(context) {
  const { draft, section, name, schema } = context;
  const columns = columnsOf(schema.items);
  const rows = structuredClone(draft[section][name] ?? []);
  const list = h("div", { class: "rows" });
  const write = () => {
    const filled = rows.filter((row) => (columns.length ? Object.values(row).some(Boolean) : row.trim()));
    setValue(context, filled.length ? structuredClone(filled) : undefined);
  };
  const change = (at, part, text) => {
    if (part) rows[at][part] = text;
    else rows[at] = text;
    if (part && !text) delete rows[at][part];
    write();
  };
  const draw = () => {
    const add = () => {
      rows.push(columns.length ? {} : "");
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
  const inputs = columns.length
    ? columns.map(({ name, schema }) => box(fieldTitle(name, schema), n, row[name], (text) => change(at, name, text), fromCatalogue(schema.description ?? "")))
    : box(t("form.row"), n, row, (text) => change(at, null, text));
  const label = t("form.removeRow", { n });
  return h("div", { class: "row" }, inputs, h("button", { type: "button", class: "tool small", title: label, "aria-label": label, onclick: () => remove(at) }, icon("x")));
}

function box(title, n, value, change, help = "") {
  const said = { placeholder: title, title: help, "aria-label": `${title} ${n}` };
  const input = h("input", { type: "text", value: value ?? "", ...said, oninput: () => change(input.value) });
  return input;
}
