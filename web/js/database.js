// IndexedDB in promises. Every function raises where a browser has no storage.

import { isMine, person } from "./person.js";

const VERSION = 2; // the first one did not say whose an entry is

/** A database `wanx-<name>` of one store, whose entries have a `person`, the key `key` and the time `at`. */
export function storeOf(name, key) {
  const make = (database) => {
    if (database.objectStoreNames.contains(name)) database.deleteObjectStore(name);
    database.createObjectStore(name, { keyPath: ["person", key] }).createIndex("at", "at");
  };
  return {
    /** Raises if something is to be written in a browser that is somebody else's by now. */
    async open(mode) {
      if (mode === "readwrite" && !isMine()) throw new Error("This browser is somebody else's.");
      const request = indexedDB.open(`wanx-${name}`, VERSION);
      request.onupgradeneeded = () => make(request.result);
      const database = await done(request);
      database.onversionchange = () => database.close();
      const transaction = database.transaction(name, mode);
      for (const end of ["complete", "abort"]) transaction.addEventListener(end, () => database.close());
      return transaction.objectStore(name);
    },
    /** The full key of this page's person. */
    keyOf: (value) => [person(), value],
    /** Resolves when the database is deleted, or will be as soon as no tab has it open. */
    async forget() {
      try {
        const request = indexedDB.deleteDatabase(`wanx-${name}`);
        await new Promise((resolve) => (request.onsuccess = request.onerror = request.onblocked = resolve));
      } catch {
        // Where there is no storage nothing is kept.
      }
    },
  };
}

export function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** When all that was asked of the store is on the disk. */
export function finished({ transaction }) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}
