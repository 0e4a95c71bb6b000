// Drafts outlive the page: they are written to this browser's storage soon after every change, and
// forgotten on signing out. A browser without storage keeps them as long as the page.

import { done, finished, storeOf } from "./database.js";
import { bytesOf, packed, unpacked } from "./draftfile.js";
import { isMine, person } from "./person.js";

const STORE = storeOf("drafts", "model");
const AFTER_MS = 400;
const MOST = 12;
const MOST_BYTES = 100e6;

const waiting = new Map(); // by model: {draft, timer}; what is not on the disk yet

/** What was kept of a model's draft, null if nothing. */
export async function keptDraft(model) {
  try {
    const kept = await done((await STORE.open("readonly")).get(STORE.keyOf(model)));
    return kept ? await unpacked(kept.draft) : null;
  } catch {
    return null;
  }
}

export function keepSoon(model, draft) {
  clearTimeout(waiting.get(model)?.timer);
  const entry = { draft, timer: setTimeout(() => keep(model, entry), AFTER_MS) };
  waiting.set(model, entry);
}

/** Writes what waits, without waiting longer. */
export function keepNow() {
  for (const [model, entry] of waiting) keep(model, entry);
}

/** What a person left who has signed out since, in another tab, is not to be kept. */
export const allKept = () => waiting.size === 0 || !isMine();

export function forgetKeptDrafts() {
  for (const { timer } of waiting.values()) clearTimeout(timer);
  waiting.clear();
  return STORE.forget();
}

async function keep(model, entry) {
  clearTimeout(entry.timer);
  /** @type {Awaited<ReturnType<typeof packed>>} */
  let draft = null;
  try {
    draft = await packed(entry.draft);
    if (waiting.get(model) !== entry) return;
    const store = await STORE.open("readwrite");
    if (draft) store.put({ person: person(), model, draft, bytes: bytesOf(draft), at: Date.now() });
    else store.delete(STORE.keyOf(model));
    const written = finished(store);
    await dropOldest(store);
    await written;
    if (waiting.get(model) === entry) waiting.delete(model);
  } catch {
    // No storage, or it is full: the draft stays in the page, and leaving asks first.
    if (!draft && waiting.get(model) === entry) waiting.delete(model);
  }
}

/** The newest stay, as many as there is room for. */
async function dropOldest(store) {
  const all = await done(store.index("at").getAll());
  let bytes = 0;
  all.reverse().forEach((one, at) => {
    bytes += one.bytes;
    if (at > 0 && (at >= MOST || bytes > MOST_BYTES)) store.delete([one.person, one.model]);
  });
}
