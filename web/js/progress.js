// A progress bar whose fill is set by script, as the page allows no style in markup.

import { h } from "./dom.js";
import { t } from "./i18n.js";

/** {element, set}: set takes 0 to 1. */
export function progressBar() {
  const fill = h("div", { class: "progress-fill" });
  const element = h("div", { class: "progress", role: "progressbar", "aria-label": t("job.progress"), "aria-valuemin": 0, "aria-valuemax": 100 }, fill);
  const set = (share) => {
    const percent = Math.round(share * 100);
    fill.style.width = `${percent}%`;
    element.setAttribute("aria-valuenow", String(percent));
  };
  set(0);
  return { element, set };
}
