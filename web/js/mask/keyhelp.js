// What the keyboard does at the canvas, to be looked up.

import { h, uid } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";

/**
 * {button, panel}: the button shows the panel, which the browser closes by itself.
 * @param {{words: string, pen: string, inverts: boolean}} kind of the painter
 */
export function keyHelp(kind) {
  const id = uid("keys");
  const label = t("keys.title");
  const rows = [
    ["B", t(`mask.${kind.pen}`)],
    ["E", t("mask.eraser")],
    ["F", t("mask.fill")],
    ["H", t("keys.pan")],
    ["[ ]", t("mask.size")],
    ["+ − 0", t("keys.zoom")],
    ["Shift", t("keys.straight")],
    ...(kind.inverts ? [["I", t("mask.invert")]] : []),
    ["Ctrl Z", t("mask.undo")],
    ["Ctrl Shift Z", t("mask.redo")],
    ["Delete", t("mask.clear")],
    ["← ↑ → ↓ Enter", t("keys.arrows")],
    ["Ctrl V", t("keys.paste")],
  ];
  const list = rows.map(([keys, words]) => [h("dt", {}, h("kbd", {}, keys)), h("dd", {}, words)]);
  const panel = h("div", { id, class: "key-help card", popover: "auto" }, h("h2", {}, label), h("dl", {}, list), h("p", { class: "help" }, t("keys.note")));
  const button = h("button", { type: "button", class: "tool", title: `${label} (?)`, "aria-label": label, popovertarget: id }, icon("help"));
  return { button, panel };
}
