// Short messages: read aloud, and shown for a while at the foot of the page, or until a click on
// them: what they cover is needed as well.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const SHOWN_FOR = 6000;

/** For the ear alone. */
export function say(text) {
  const place = document.getElementById("announcer");
  if (place) place.textContent = text;
}

/** What an error says, whatever was thrown. */
export const reasonOf = (error) => (error instanceof Error ? error.message : String(error));

export function announce(text) {
  say(text);
  toast(text, "good", "check");
}

export function complain(text) {
  say(text);
  toast(text, "bad", "alert");
}

function toast(text, tone, symbol) {
  document.querySelector(".toast")?.remove();
  const element = h("div", { class: `toast ${tone}` }, icon(symbol), h("span", {}, text));
  element.addEventListener("click", () => element.remove());
  document.body.append(element);
  setTimeout(() => element.remove(), SHOWN_FOR);
}
