// A list of colours [R, G, B].

import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { colourOf, hexOf } from "../mask/tint.js";
import { setValue, shell } from "./shell.js";

export function isColours(schema) {
  const item = schema.type === "array" ? schema.items : null;
  return item?.type === "array" && item.minItems === 3 && item.maxItems === 3 && item.items?.maximum === 255;
}

/** @param {import("./shell.js").FieldContext} context */
export function coloursField(context) {
  const list = h("div", { class: "colours" });
  const values = () => context.draft[context.section][context.name] ?? [];
  const change = (colours) => {
    setValue(context, colours);
    draw();
  };
  const draw = () => {
    const add = h("button", { type: "button", class: "chip-button", onclick: () => change([...values(), [220, 40, 60]]) }, icon("plus"), t("form.addColour"));
    replace(list, values().map((colour, place) => swatch(context, values, change, colour, place)), add);
  };
  draw();
  return shell(context, () => list, { group: true });
}

function swatch(context, values, change, colour, place) {
  const input = h("input", {
    type: "color", value: hexOf(colour), "aria-label": t("form.colour", { n: place + 1 }),
    oninput: () => setValue(context, values().map((one, at) => (at === place ? rgbOf(input.value) : one))),
  });
  const label = t("form.removeColour", { value: hexOf(colour) });
  const remove = () => change(values().filter((_, at) => at !== place));
  return h("span", { class: "swatch" }, input, h("button", { type: "button", class: "tool small", title: label, "aria-label": label, onclick: remove }, icon("x")));
}

function rgbOf(hex) {
  const { r, g, b } = colourOf(hex);
  return [r, g, b];
}
