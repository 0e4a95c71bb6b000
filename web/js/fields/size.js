// The size of the output: levels such as 2K, recommended sizes, or any width*height in two numbers.

import { h } from "../dom.js";
import { choiceTitle, t } from "../i18n.js";
import { isSize, sizesOf } from "../sizes.js";
import { aspectShape, chips } from "./choice.js";
import { setValue, shell } from "./shell.js";

export { isSize };

const OTHER = "other";

/** @param {import("./shell.js").FieldContext} context */
export function sizeField(context) {
  const recommended = sizesOf(context.model, context.schema);
  const standard = context.schema.default;
  const current = context.draft[context.section][context.name] ?? standard;
  const options = [
    ...(standard === undefined ? [{ value: undefined, title: t("form.automatic") }] : []),
    ...recommended.map((value) => ({ value, title: choiceTitle(value), shape: aspectShape(value) })),
    { value: OTHER, title: t("form.custom") },
  ];
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
  const [width, height] = (size ?? "1280*1280").split("*");
  const box = (label, value) =>
    h("label", {}, t(label), h("input", { type: "number", min: 1, inputmode: "numeric", value, oninput: () => setValue(context, element.read()) }));
  const parts = [box("form.width", width), box("form.height", height)];
  const element = h("div", { class: "two-numbers" }, parts);
  element.read = () => parts.map((part) => part.querySelector("input").value || "0").join("*");
  return element;
}
