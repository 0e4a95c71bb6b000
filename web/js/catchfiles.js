// Pictures that are dropped or pasted anywhere go to a field of the form that takes them. Without
// this the browser would open a dropped file, in place of the page.

import { t } from "./i18n.js";
import { announce, complain } from "./notices.js";

/** @typedef {{element: HTMLElement, take: (files: File[]) => void, room: () => boolean}} Taker */

/** @type {{form: HTMLElement, takers: () => Taker[]} | null} */
let latest = null;
/** What came before anybody had said what to do with it. @type {File[]} */
let early = [];

/**
 * From now on this form gets what comes down, as long as it is on the page.
 * @param {HTMLElement} form
 * @param {() => Taker[]} takers its fields that take pictures now
 */
export function catchFor(form, takers) {
  latest = { form, takers };
  const files = early.splice(0);
  if (files.length) setTimeout(() => hand(files, null)); // when the form is on the page
}

export function catchFiles() {
  document.addEventListener("dragover", (event) => filesIn(event.dataTransfer) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    const files = filesIn(event.dataTransfer);
    if (event.defaultPrevented || !files) return;
    event.preventDefault();
    hand([...files], event.target);
  });
  document.addEventListener("paste", (event) => {
    if (!event.clipboardData) return;
    const { files, types } = event.clipboardData;
    const isWriting = event.target instanceof Element && event.target.closest("textarea, input") && types.includes("text/plain");
    if (!files.length || isWriting) return;
    event.preventDefault();
    hand([...files], event.target);
  });
}

const filesIn = (transfer) => (transfer?.types.includes("Files") ? transfer.files : null);

function keepFor(files) {
  early = files;
  announce(t("drop.early"));
}

/** The field under the pointer comes first, then one that has room. */
function hand(files, target) {
  if (!latest?.form.isConnected) return document.querySelector(".task-tile") ? keepFor(files) : complain(t("drop.noForm"));
  const takers = latest.takers();
  const taker = takers.find(({ element }) => element.contains(target)) ?? takers.find((one) => one.room());
  if (!taker) return complain(t("drop.full"));
  taker.take(files);
  return announce(t("drop.taken", { name: taker.element.querySelector("legend")?.firstChild?.textContent }));
}
