// What a job was made from, shown while it waits or runs: its pictures, with the mask over its own.

import { h } from "../dom.js";
import { fieldTitle, t } from "../i18n.js";

/** null where no picture can be shown. */
export function waitingPictures(pictures) {
  const shown = pictures.filter((one) => one.address);
  const masks = shown.filter((one) => one.rule.sameSizeAs);
  const items = shown.filter((one) => !one.rule.sameSizeAs).map((one) => {
    const mask = masks.find(({ rule }) => rule.sameSizeAs.startsWith(`/input/${one.field}`));
    return h("li", { class: "waiting-picture" }, h("img", { src: one.address, alt: fieldTitle(one.field, {}) }), mask ? overlay(mask) : null);
  });
  if (!items.length) return null;
  return h("section", { class: "waiting", "aria-label": t("job.inputs") }, h("ul", {}, items));
}

/** Where the mask is white it takes the accent's colour. */
function overlay({ address }) {
  const element = h("span", { class: "waiting-mask", "aria-hidden": "true" });
  element.style.maskImage = `url("${address.replace(/"/g, "%22")}")`;
  return element;
}
