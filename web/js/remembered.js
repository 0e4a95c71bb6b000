// Short lists that this browser keeps, such as favourites and prompts. Forgotten on signing out.

const KEPT = "wanx-kept-";
const MOST = { favourites: 500, prompts: 40 };

/** The newest first. */
export function remembered(name) {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT + name) ?? "[]");
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
  for (const name of Object.keys(MOST)) localStorage.removeItem(KEPT + name);
}

const without = (name, text) => remembered(name).filter((one) => one !== text);

function keep(name, list) {
  try {
    localStorage.setItem(KEPT + name, JSON.stringify(list));
  } catch {
    // A private window may have no storage; the page works without.
  }
}
