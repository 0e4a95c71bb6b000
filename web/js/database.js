// IndexedDB in promises. Every function raises where a browser has no storage.

/** A database `wanx-<name>` of one store, whose entries have the key `key` and the time `at`. */
export function storeOf(name, key) {
  return {
    async open(mode) {
      const request = indexedDB.open(`wanx-${name}`, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(name, { keyPath: key }).createIndex("at", "at");
      const database = await done(request);
      database.onversionchange = () => database.close();
      const transaction = database.transaction(name, mode);
      for (const end of ["complete", "abort"]) transaction.addEventListener(end, () => database.close());
      return transaction.objectStore(name);
    },
    forget: () => {
      try {
        indexedDB.deleteDatabase(`wanx-${name}`);
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
