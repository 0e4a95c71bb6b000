// The colours a drawing is made in.

import { h, uid } from "../dom.js";
import { t } from "../i18n.js";
import { INK, PENS } from "./tint.js";

/** {element, refresh}: radio buttons for the usual pens, and any other colour. */
export function penColours(painter) {
  painter.tools.colour ??= INK;
  const group = uid("pen");
  const choose = (colour) => painter.setColour(colour);
  const pens = PENS.map((colour, at) => {
    const dot = h("span", {});
    dot.style.background = colour;
    const name = t("form.colour", { n: at + 1 });
    const input = h("input", { type: "radio", name: group, value: colour, "aria-label": `${name} ${colour}`, onchange: () => choose(colour) });
    return h("label", { class: "pen", title: colour }, input, dot);
  });
  const other = h("input", { type: "color", class: "pen-other", title: t("draw.otherColour"), "aria-label": t("draw.otherColour"), oninput: () => choose(other.value) });
  const refresh = () => {
    for (const pen of pens) pen.firstChild.checked = pen.firstChild.value === painter.tools.colour;
    other.value = painter.tools.colour;
    other.classList.toggle("chosen", !PENS.includes(painter.tools.colour));
  };
  return { element: h("div", { class: "pens", role: "radiogroup", "aria-label": t("draw.colours") }, pens, other), refresh };
}
