// Width*height where any size in bounds goes: recommended ones as chips, or two numbers.

import { h } from "../dom.js";
import { choiceTitle, t } from "../i18n.js";
import { aspectShape, chips } from "./choice.js";
import { setValue, shell } from "./shell.js";

const OTHER = "other";

export const isSize = (schema) => schema.type === "string" && Array.isArray(schema["x-recommended"]);

export function sizeField(context) {
  const recommended = context.schema["x-recommended"];
  const standard = context.schema.default;
  const current = context.draft[context.section][context.name] ?? standard;
  const options = [
    standard === undefined ? { value: undefined, title: t("form.automatic") } : null,
    ...recommended.map((value) => ({ value, title: choiceTitle(value), shape: aspectShape(value) })),
    { value: OTHER, title: t("form.custom") },
  ].filter(Boolean);
  const isOther = current !== undefined && !recommended.includes(current);
  const custom = twoNumbers(context, isOther ? current : recommended.find((value) => value.includes("*")));
  custom.hidden = !isOther;
  const choose = (value) => {
    custom.hidden = value !== OTHER;
    setValue(context, value === OTHER ? custom.read() : value);
  };
  return shell(context, () => [chips(context, options, isOther ? OTHER : current, choose), custom], { group: true });
}

function twoNumbers(context, size) {
  const [width = "1280", height = "1280"] = size ? size.split("*") : [];
  const box = (label, value) =>
    h("label", {}, t(label), h("input", { type: "number", min: 1, inputmode: "numeric", value, oninput: () => setValue(context, element.read()) }));
  const parts = [box("form.width", width), box("form.height", height)];
  const element = h("div", { class: "two-numbers" }, parts);
  element.read = () => parts.map((part) => part.querySelector("input").value || "0").join("*");
  return element;
}
