// What was uploaded from this browser, kept in it, so that a finished job can show its "before"
// and be run again with changes. Forgotten on signing out.

const NAME = "wanx-pictures";
const STORE = "pictures";
const MOST = 60;

export async function keepPicture(url, blob, name) {
  try {
    const store = await open("readwrite");
    store.put({ url, blob, name, at: Date.now() });
    await dropOldest(store);
  } catch {
    // A private window may have no storage; the page works without.
  }
}

/** {url, blob, name} or null. */
export async function keptPicture(url) {
  try {
    return (await done((await open("readonly")).get(url))) ?? null;
  } catch {
    return null;
  }
}

export function forgetPictures() {
  indexedDB.deleteDatabase(NAME);
}

async function dropOldest(store) {
  const keys = await done(store.index("at").getAllKeys());
  for (const key of keys.slice(0, Math.max(0, keys.length - MOST))) store.delete(key);
}

async function open(mode) {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(STORE, { keyPath: "url" }).createIndex("at", "at");
  };
  const database = await done(request);
  database.onversionchange = () => database.close();
  return database.transaction(STORE, mode).objectStore(STORE);
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
