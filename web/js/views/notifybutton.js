// Whether the browser tells of jobs that are over.

import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { announce, complain } from "../notices.js";
import { canNotify, isNotifying, setNotifying } from "../notify.js";

/** null where the browser cannot, or was told not to. */
export function notifyButton() {
  if (!canNotify()) return null;
  const button = h("button", { type: "button", class: "chip-button", onclick: () => toggle() });
  const show = () => {
    button.setAttribute("aria-pressed", String(isNotifying()));
    replace(button, icon("bell"), t("notify"));
  };
  const toggle = async () => {
    const wanted = !isNotifying();
    const on = await setNotifying(wanted);
    show();
    if (on) announce(t("notify.on"));
    else if (wanted) complain(t("notify.refused"));
  };
  show();
  return button;
}
