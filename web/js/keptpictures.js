// What was uploaded from this browser, kept in it, so that a finished job can show its "before"
// and be run again with changes. Forgotten on signing out.

import { done, storeOf } from "./database.js";
import { person } from "./person.js";

const STORE = storeOf("pictures", "url");
const MOST = 60;

export async function keepPicture(url, blob, name) {
  try {
    const store = await STORE.open("readwrite");
    store.put({ person: person(), url, blob, name, at: Date.now() });
    await dropOldest(store);
  } catch {
    // A private window may have no storage; the page works without.
  }
}

/** {url, blob, name} or null. */
export async function keptPicture(url) {
  try {
    return (await done((await STORE.open("readonly")).get(STORE.keyOf(url)))) ?? null;
  } catch {
    return null;
  }
}

export const forgetPictures = STORE.forget;

async function dropOldest(store) {
  const keys = await done(store.index("at").getAllKeys());
  for (const key of keys.slice(0, Math.max(0, keys.length - MOST))) store.delete(key);
}
