// Colours with the share of the picture that each takes: [{hex, ratio: "25.00%"}].

import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { number, t } from "../i18n.js";
import { setValue, shell } from "./shell.js";

const COLOURS = ["#C2D1E6", "#2F4858", "#F6AE2D", "#F26419", "#86BBD8", "#33658A", "#6A994E", "#BC4749", "#A7C957", "#FFFFFF"];

export function isPalette(schema) {
  const item = schema.type === "array" ? schema.items?.properties : null;
  return item?.hex?.type === "string" && item.ratio?.type === "string";
}

/** @param {import("./shell.js").FieldContext} context */
export function paletteField(context) {
  const { minItems: least = 1, maxItems: most = COLOURS.length } = context.schema;
  const list = h("div", { class: "palette" });
  const values = () => context.draft[context.section][context.name] ?? [];
  const set = (colours) => setValue(context, colours.length ? colours : undefined);
  const change = (colours) => {
    set(evenly(colours));
    draw();
  };
  const total = h("output", { class: "counter" });
  const count = () => {
    const shares = values().map((one) => Number.parseFloat(one.ratio) || 0);
    total.textContent = shares.length ? t("form.total", { n: number(shares.reduce((all, one) => all + one, 0), 2) }) : "";
  };
  const edit = (place, part) => {
    set(values().map((one, at) => (at === place ? { ...one, ...part } : one)));
    count();
  };
  const draw = () => {
    const colours = values();
    const add = () => change([...colours, ...COLOURS.slice(colours.length, Math.max(colours.length + 1, least)).map((hex) => ({ hex }))]);
    const remove = (place) => change(colours.length > least ? colours.filter((_, at) => at !== place) : []);
    const button = h("button", { type: "button", class: "chip-button", onclick: add }, icon("plus"), t("form.addColour"));
    replace(list, colours.map((one, place) => swatch(one, place, edit, remove)), colours.length < most ? button : null, total);
    count();
  };
  draw();
  return shell(context, () => list, { group: true });
}

/** Equal shares that are 100.00 % together. */
function evenly(colours) {
  const each = Math.floor(10000 / colours.length);
  const rest = 10000 - each * colours.length;
  return colours.map(({ hex }, place) => ({ hex, ratio: `${((each + (place ? 0 : rest)) / 100).toFixed(2)}%` }));
}

function swatch({ hex, ratio }, place, edit, remove) {
  const n = place + 1;
  const colour = h("input", { type: "color", value: hex, "aria-label": t("form.colour", { n }), oninput: () => edit(place, { hex: colour.value.toUpperCase() }) });
  const share = h("input", {
    type: "number", min: 0, max: 100, step: "any", value: Number.parseFloat(ratio), "aria-label": t("form.share", { n }),
    oninput: () => edit(place, { ratio: `${(Number(share.value) || 0).toFixed(2)}%` }),
  });
  const label = t("form.removeColour", { value: hex });
  return h("span", { class: "swatch" }, colour, share, "%", h("button", { type: "button", class: "tool small", title: label, "aria-label": label, onclick: () => remove(place) }, icon("x")));
}
