// What an officer noted and the server does not have yet: kept on this device until it is stored there, and no longer.
const DATABASE = "record";
const STORE = "waiting";
export const CACHE = "record";
// A session that ran out is no sign-out: what is unsent waits this long for the same officer to sign in again.
const LONGEST = 24 * 60 * 60 * 1000;

const settled = (asked) => new Promise((resolve, reject) => {
  asked.onsuccess = () => resolve(asked.result);
  asked.onerror = () => reject(asked.error);
  asked.onblocked = () => resolve();
});

async function inStore(mode, act) {
  const asked = indexedDB.open(DATABASE, 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "id" });
  const database = await settled(asked);
  try {
    const transaction = database.transaction(STORE, mode, { durability: "strict" });
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
    const result = act(transaction.objectStore(STORE));
    await done;
    return result?.result;
  } finally {
    database.close();
  }
}

export const all = async () => (await inStore("readonly", (store) => store.getAll())).sort((one, other) => one.order - other.order);

export const keep = (item) => inStore("readwrite", (store) => store.put(item));

export const drop = (id) => inStore("readwrite", (store) => store.delete(id));

// Nothing is left: neither words nor pictures, nor the page itself, nor who was signed in.
export async function wipe() {
  await settled(indexedDB.deleteDatabase(DATABASE));
  await Promise.all((await caches.keys()).map((name) => caches.delete(name)));
  const workers = await navigator.serviceWorker?.getRegistrations?.() ?? [];
  await Promise.all(workers.map((worker) => worker.unregister()));
}

// Nobody is signed in any more. Before its time a session ends because somebody ended it: then nothing may stay.
export async function over() {
  const items = await all();
  if (items.every((item) => Date.now() < item.until || Date.now() > item.order + LONGEST)) await wipe();
  else await Promise.all((await caches.keys()).map((name) => caches.delete(name)));
}

// What another officer left on this device, and what is too old, goes unseen.
export async function onlyOf(user) {
  for (const item of await all()) {
    if (item.user !== user || Date.now() > item.order + LONGEST) await drop(item.id);
  }
}
