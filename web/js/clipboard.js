// A job file for the clipboard.

import { h } from "./dom.js";
import { t } from "./i18n.js";
import { announce } from "./notices.js";

/** Copies a text; where the clipboard is closed, shows it to be copied by hand. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce(t("copy.done"));
  } catch {
    showText(text);
  }
}

function showText(text) {
  const area = h("textarea", { class: "code", rows: 14, readonly: true, value: text, "aria-label": t("copy.failed") });
  const close = h("button", { type: "button", class: "button", onclick: () => dialog.close() }, "OK");
  const dialog = h("dialog", { class: "card", onclose: () => dialog.remove() }, h("p", {}, t("copy.failed")), area, close);
  document.body.append(dialog);
  dialog.showModal();
  area.select();
}
