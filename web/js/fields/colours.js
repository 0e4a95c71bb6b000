// A list of colours [R, G, B].

import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { setValue, shell } from "./shell.js";

export function isColours(schema) {
  const item = schema.type === "array" ? schema.items : null;
  return item?.type === "array" && item.minItems === 3 && item.maxItems === 3 && item.items?.maximum === 255;
}

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
    type: "color", value: toHex(colour), "aria-label": t("form.colour", { n: place + 1 }),
    oninput: () => setValue(context, values().map((one, at) => (at === place ? fromHex(input.value) : one))),
  });
  const label = t("form.removeColour", { value: toHex(colour) });
  const remove = () => change(values().filter((_, at) => at !== place));
  return h("span", { class: "swatch" }, input, h("button", { type: "button", class: "tool small", title: label, "aria-label": label, onclick: remove }, icon("x")));
}

const toHex = (colour) => `#${colour.map((part) => Number(part).toString(16).padStart(2, "0")).join("")}`;
const fromHex = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
