import type { Page } from "@playwright/test";

/** Names of the runtime's store: a change there loses what users have downloaded, so tests pin them. */
const names = { database: "gpt-oss-webgpu", store: "chunks" };

/** Indexes of the chunks that are stored whole, of any model. */
export function storedChunks(page: Page): Promise<number[]> {
  return page.evaluate(async ({ database, store }) => {
    const known = await indexedDB.databases();
    if (!known.some(({ name }) => name === database)) return [];
    const db = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(database);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    if (!db.objectStoreNames.contains(store)) {
      db.close();
      return [];
    }
    const keys = await new Promise<IDBValidKey[]>((resolve, reject) => {
      const request = db.transaction(store).objectStore(store).getAllKeys();
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    db.close();
    return keys.flatMap((key) => (Array.isArray(key) && key[0] === "digest" ? [Number(key[3])] : []));
  }, names);
}

/** Flips one bit in the middle of a stored chunk, as a failing disk would. */
export async function corruptChunk(page: Page, index: number): Promise<void> {
  await page.evaluate(
    async ({ database, store, index }) => {
      const db = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(database);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      const settled = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const chunks = () => db.transaction(store).objectStore(store);
      for (const key of await settled(chunks().getAllKeys())) {
        if (!Array.isArray(key) || key[0] !== "chunk" || key[3] !== index) continue;
        const blob: unknown = await settled(chunks().get(key));
        if (!(blob instanceof Blob)) throw new Error("a chunk is no Blob");
        const bytes = new Uint8Array(await blob.arrayBuffer());
        const middle = bytes.length >> 1;
        bytes[middle] = (bytes[middle] ?? 0) ^ 1;
        // Until the transaction is complete, leaving the page undoes it.
        const writing = db.transaction(store, "readwrite");
        writing.objectStore(store).put(new Blob([bytes]), key);
        await new Promise((resolve, reject) => {
          writing.oncomplete = resolve;
          writing.onabort = () => reject(writing.error);
        });
      }
      db.close();
    },
    { ...names, index },
  );
}
