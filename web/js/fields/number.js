// Numbers: a few are chips, a short range is a slider, the rest a box.

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { number, t } from "../i18n.js";
import { valueOf } from "../draft.js";
import { chips } from "./choice.js";
import { setValue, shell } from "./shell.js";

const FEW = 6;
const SHORT = 100;
const STEP = 0.01;

/** @param {import("./shell.js").FieldContext} context */
export function numberField(context) {
  const { minimum, maximum, default: standard } = context.schema;
  const span = maximum - minimum;
  if (span < FEW && context.schema.type === "integer") return asChips(context);
  if (span <= SHORT && standard !== undefined) return asSlider(context);
  return asBox(context);
}

function asChips(context) {
  const { minimum, maximum } = context.schema;
  const options = [];
  for (let value = minimum; value <= maximum; value += 1) options.push({ value, title: number(value) });
  const current = valueOf(context.draft, context.section, context.name, context.schema);
  return shell(context, () => chips(context, options, current, (value) => setValue(context, value)), { group: true });
}

function asSlider(context) {
  const whole = context.schema.type === "integer";
  const say = (value) => number(value, whole ? 0 : 2);
  const shown = h("output", {});
  const make = (ids) => {
    const input = h("input", {
      id: ids.control, type: "range", min: context.schema.minimum, max: context.schema.maximum,
      step: whole ? 1 : STEP, "aria-describedby": ids.described,
      oninput: () => {
        setValue(context, Number(input.value));
        shown.textContent = say(Number(input.value));
      },
    });
    input.value = valueOf(context.draft, context.section, context.name, context.schema);
    shown.textContent = say(Number(input.value));
    return h("div", { class: "slider" }, input, shown);
  };
  return shell(context, make);
}

function asBox(context) {
  const { minimum, maximum } = context.schema;
  const make = (ids) => {
    const input = h("input", {
      id: ids.control, type: "number", inputmode: "numeric", min: minimum, max: maximum,
      placeholder: context.schema.default ?? t(context.name === "seed" ? "form.random" : "form.automatic"), "aria-describedby": ids.described,
      value: context.draft[context.section][context.name] ?? "",
      oninput: () => setValue(context, input.value === "" ? undefined : Number(input.value)),
    });
    if (context.name !== "seed" || maximum === undefined) return input;
    return h("div", { class: "with-button" }, input, dice(context, input));
  };
  return shell(context, make);
}

function dice(context, input) {
  const { minimum = 0, maximum } = context.schema;
  const label = t("form.roll");
  const roll = () => {
    input.value = minimum + Math.floor(Math.random() * (maximum - minimum));
    setValue(context, Number(input.value));
  };
  return h("button", { type: "button", class: "tool", title: label, "aria-label": label, onclick: roll }, icon("refresh"));
}
