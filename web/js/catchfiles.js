// Pictures that are dropped or pasted beside a field go to the first that has room. Without this
// the browser would open a dropped file, in place of the page.

import { t } from "./i18n.js";
import { announce, complain } from "./notices.js";

export function catchFiles() {
  document.addEventListener("dragover", (event) => filesIn(event.dataTransfer) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    const files = filesIn(event.dataTransfer);
    if (event.defaultPrevented || !files) return;
    event.preventDefault();
    hand(files);
  });
  document.addEventListener("paste", (event) => {
    if (!event.clipboardData) return;
    const { files, types } = event.clipboardData;
    const target = event.target instanceof Element ? event.target : null;
    const isWriting = target?.closest("textarea, input") && types.includes("text/plain");
    if (!files.length || isWriting || target?.closest(".field:has(.pictures)")) return;
    event.preventDefault();
    hand(files);
  });
}

const filesIn = (transfer) => (transfer?.types.includes("Files") ? transfer.files : null);

/** An empty field comes before one that takes more. */
function hand(files) {
  const zones = [...document.querySelectorAll("form[data-model] .drop-zone")].filter((one) => one.checkVisibility());
  const zone = zones.find((one) => !one.classList.contains("small")) ?? zones[0];
  const input = zone?.querySelector("input");
  if (!zone || !input) return complain(t(document.querySelector("form[data-model]") ? "drop.full" : "drop.noForm"));
  input.files = files;
  input.dispatchEvent(new Event("change"));
  return announce(t("drop.taken", { name: zone.closest(".field")?.querySelector("legend")?.firstChild?.textContent }));
}
