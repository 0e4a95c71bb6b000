// Pictures that are dropped or pasted beside a field go to the first that has room. Without this
// the browser would open a dropped file, in place of the page.

import { t } from "./i18n.js";
import { announce, complain } from "./notices.js";

export function catchFiles() {
  document.addEventListener("dragover", (event) => hasFiles(event.dataTransfer) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (event.defaultPrevented || !hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    hand(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => {
    const { files, types } = event.clipboardData;
    const isWriting = event.target.closest?.("textarea, input") && types.includes("text/plain");
    if (!files.length || isWriting || event.target.closest?.(".field:has(.pictures)")) return;
    event.preventDefault();
    hand(files);
  });
}

const hasFiles = (transfer) => Boolean(transfer?.types.includes("Files"));

/** An empty field comes before one that takes more. */
function hand(files) {
  const zones = [...document.querySelectorAll("form[data-model] .drop-zone")].filter((one) => one.checkVisibility());
  const zone = zones.find((one) => !one.classList.contains("small")) ?? zones[0];
  if (!zone) return complain(t(document.querySelector("form[data-model]") ? "drop.full" : "drop.noForm"));
  const input = zone.querySelector("input");
  input.files = files;
  input.dispatchEvent(new Event("change"));
  return announce(t("drop.taken", { name: zone.closest(".field").querySelector("legend").firstChild.textContent }));
}
