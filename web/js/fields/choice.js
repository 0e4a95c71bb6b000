// One of a few: chips, which are radio buttons to keyboard and screen reader. And on or off.

import { h, uid } from "../dom.js";
import { choiceTitle, fieldTitle, fromCatalogue } from "../i18n.js";
import { valueOf } from "../draft.js";
import { setValue, shell } from "./shell.js";

/**
 * @param {import("./shell.js").FieldContext} context
 * @param {{value: any, title: string, shape?: HTMLElement|null}[]} options a `value` of undefined means "left out"
 * @param {any} current
 * @param {(value: any) => void} choose
 */
export function chips(context, options, current, choose) {
  const group = uid("choice");
  return h(
    "div",
    { class: "chips", role: "radiogroup", "aria-label": context.title ?? fieldTitle(context.name, context.schema) },
    options.map(({ value, title, shape }) => {
      const ban = context.banned?.find((one) => one.value === value);
      const input = h("input", {
        type: "radio", name: group, value: String(value ?? ""), checked: value === current, disabled: Boolean(ban) && value !== current,
        onchange: () => choose(value),
      });
      return h("label", { class: "chip", title: ban ? fromCatalogue(ban.reason) : null }, input, h("span", {}, shape ?? null, title));
    }),
  );
}

/** @param {import("./shell.js").FieldContext} context */
export function choiceField(context) {
  const options = context.schema.enum.map((value) => ({
    value, title: choiceTitle(value, context.schema), shape: aspectShape(value),
  }));
  const current = valueOf(context.draft, context.section, context.name, context.schema);
  return shell(context, () => chips(context, options, current, (value) => setValue(context, value)), { group: true });
}

/** @param {import("./shell.js").FieldContext} context */
export function switchField(context) {
  const make = (ids) => {
    const input = h("input", {
      id: ids.control, type: "checkbox", role: "switch", class: "switch", "aria-describedby": ids.described,
      checked: valueOf(context.draft, context.section, context.name, context.schema) === true,
      onchange: () => setValue(context, input.checked),
    });
    return input;
  };
  const element = shell(context, make);
  element.classList.add("inline");
  return element;
}

/** A small rectangle in the proportions of a size such as 1280*720. */
export function aspectShape(value) {
  const match = /^(\d+)\*(\d+)$/.exec(String(value));
  if (!match) return null;
  const [width, height] = [Number(match[1]), Number(match[2])];
  const scale = 16 / Math.max(width, height);
  const shape = h("i", { class: "shape", "aria-hidden": "true" });
  shape.style.width = `${Math.max(4, width * scale)}px`;
  shape.style.height = `${Math.max(4, height * scale)}px`;
  return shape;
}
