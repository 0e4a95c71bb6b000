// Short lists that this browser keeps, such as favourites and prompts. Forgotten on signing out.

import { isMine, person } from "./person.js";

const KEPT = "wanx-kept-";
const MOST = { favourites: 500, prompts: 40 };

const keyOf = (name) => `${KEPT}${person()}-${name}`;

/** The newest first. */
export function remembered(name) {
  try {
    const found = JSON.parse(localStorage.getItem(keyOf(name)) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

/** An empty text is nothing to keep. */
export function remember(name, text) {
  if (typeof text !== "string" || !text.trim()) return;
  keep(name, [text, ...without(name, text)].slice(0, MOST[name]));
}

export function forget(name, text) {
  keep(name, without(name, text));
}

export function forgetRemembered() {
  for (const key of Object.keys(localStorage)) if (key.startsWith(KEPT)) localStorage.removeItem(key);
}

const without = (name, text) => remembered(name).filter((one) => one !== text);

function keep(name, list) {
  if (!isMine()) return;
  try {
    localStorage.setItem(keyOf(name), JSON.stringify(list));
  } catch {
    // A private window may have no storage; the page works without.
  }
}
