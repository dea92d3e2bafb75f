import { createStore, type UseStore } from "idb-keyval";
import { EngineError } from "../errors.ts";
import { isClosedConnection, storageError } from "./storage-errors.ts";

/** Runs `use` in a transaction. @throws storage-full | storage-failed, with `action` in their message */
export type RunInDatabase = <T>(
  action: string,
  mode: IDBTransactionMode,
  use: (store: IDBObjectStore) => T | PromiseLike<T>,
) => Promise<T>;

/** A database opens within milliseconds; one that a tab deletes while another one holds it open may never do so. */
const patienceMs = 10_000;

/**
 * The object store `storeName` of a database of its own. It is opened at the first use and again after it was closed:
 * by clearing the site's data, or because another tab wants to delete it, which this one gives way to.
 */
export function openDatabase(
  databaseName: string,
  storeName: string,
  openWaitMs: number = patienceMs,
): RunInDatabase {
  let database: UseStore | undefined;
  return async (action, mode, use) => {
    if (typeof indexedDB === "undefined") {
      throw new EngineError("storage-failed", "IndexedDB is not available here, so models cannot be stored.");
    }
    for (let retried = false; ; retried = true) {
      database ??= createStore(databaseName, storeName);
      try {
        return await transact(database, mode, use, openWaitMs);
      } catch (error) {
        // idb-keyval keeps the connection it opened; one that was closed under it must be replaced.
        if (!isClosedConnection(error)) throw storageError(action, error);
        database = undefined;
        if (retried) throw storageError(action, error);
      }
    }
  };
}

/** @throws TimeoutError where the database does not open; `use` is not called then, also where it opens later */
function transact<T>(
  database: UseStore,
  mode: IDBTransactionMode,
  use: (store: IDBObjectStore) => T | PromiseLike<T>,
  openWaitMs: number,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(new DOMException(`the database did not open for ${openWaitMs / 1000} s`, "TimeoutError"));
    }, openWaitMs);
    const whenOpen = (store: IDBObjectStore) => {
      clearTimeout(timer);
      const { db } = store.transaction;
      db.onversionchange = () => db.close();
      if (!isLate) resolve(use(store));
    };
    database(mode, whenOpen).catch((error: unknown) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}
