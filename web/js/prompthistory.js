// Prompts of earlier jobs, of those that were looked at in this browser, to begin from.

import { h } from "./dom.js";
import { t } from "./i18n.js";
import { remembered } from "./remembered.js";

const SHOWN = 12;

/** `pick` gets the prompt that is chosen; null where there is none yet. */
export function promptHistory(pick) {
  const prompts = remembered("prompts").slice(0, SHOWN);
  if (!prompts.length) return null;
  const choose = (prompt) => { box.open = false; pick(prompt); };
  const items = prompts.map((prompt) => h("li", {}, h("button", { type: "button", class: "history-prompt", onclick: () => choose(prompt) }, prompt)));
  const box = h("details", { class: "history" }, h("summary", {}, t("prompt.history")), h("ul", {}, items));
  return box;
}
