// Two pictures under one divide that mouse, finger and keyboard move.

import { h } from "../dom.js";
import { t } from "../i18n.js";

/**
 * `after` gives the proportions; `names` are what the two are called, if not before and after.
 * @param {string} before its address
 * @param {{url: string, width?: number, height?: number}} after
 * @param {string} alt
 * @param {{before: string, after: string}|null} [names]
 */
export function compare(before, after, alt, names = null) {
  const words = names ?? { before: t("compare.before"), after: t("compare.after") };
  const input = h("input", { type: "range", min: 0, max: 100, step: 1, class: "compare-range", "aria-label": t("compare.label") });
  const top = h("img", { class: "compare-before", src: before, alt: words.before, draggable: "false" });
  const bottom = h("img", { class: "compare-after", src: after.url, alt, draggable: "false" });
  const line = h("div", { class: "compare-line", "aria-hidden": "true" }, h("span", {}));
  const element = h(
    "div",
    { class: "compare" },
    bottom, top, line,
    h("span", { class: "compare-word left", "aria-hidden": "true" }, words.before),
    h("span", { class: "compare-word right", "aria-hidden": "true" }, words.after),
    input,
  );
  const show = () => {
    const share = Number(input.value);
    top.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
    line.style.left = `${share}%`;
    input.setAttribute("aria-valuetext", names ? t("compare.share", { n: share, name: names.before }) : t("compare.value", { n: share }));
  };
  input.addEventListener("input", show);
  input.value = 50;
  show();
  if (after.width && after.height) {
    element.style.aspectRatio = `${after.width} / ${after.height}`;
    element.style.setProperty("--ratio", String(after.width / after.height));
  }
  return element;
}
