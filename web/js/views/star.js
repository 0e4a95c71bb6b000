// A job among this browser's favourites, or not.

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { announce } from "../notices.js";
import { forget, remember, remembered } from "../remembered.js";

const LIST = "favourites";

export const favourites = () => remembered(LIST);

export function star(job, className) {
  const isOne = () => favourites().includes(job);
  const button = h("button", { type: "button", class: `tool star ${className}`, onclick: () => toggle() }, icon("star"));
  const show = () => {
    const word = t(isOne() ? "favourite.remove" : "favourite.add");
    button.setAttribute("aria-pressed", String(isOne()));
    button.setAttribute("aria-label", word);
    button.title = word;
  };
  const toggle = () => {
    (isOne() ? forget : remember)(LIST, job);
    if (isOne()) announce(t("favourite.added"));
    show();
  };
  show();
  return button;
}
