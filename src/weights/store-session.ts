import { EngineError } from "../errors.ts";
import type { ChunkStore } from "./chunk-store.ts";

/** A store for as long as someone reads from it. */
export interface StoreSession {
  /** The store; once the session is closed, every call is `aborted` and opens nothing again. */
  readonly store: ChunkStore;
  readonly isClosed: boolean;
  /** Refuses what is asked from here on, and waits for what was asked before. */
  close(): Promise<void>;
}

/** Reads may be abandoned (by an abort) and go on unheard: what they ask the store for later must not open it anew. */
export function openStoreSession(store: ChunkStore): StoreSession {
  const underWay = new Set<Promise<unknown>>();
  let isClosed = false;

  const guarded = <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) => {
    return async (...args: Args): Promise<Result> => {
      if (isClosed) throw new EngineError("aborted", "Reading the stored model has ended.");
      const work = call(...args);
      underWay.add(work);
      try {
        return await work;
      } finally {
        underWay.delete(work);
      }
    };
  };

  return {
    store: {
      kind: store.kind,
      getModel: guarded(store.getModel),
      putModel: guarded(store.putModel),
      listModels: guarded(store.listModels),
      deleteModel: guarded(store.deleteModel),
      getText: guarded(store.getText),
      putText: guarded(store.putText),
      listChunks: guarded(store.listChunks),
      getChunk: guarded(store.getChunk),
      readInto: guarded(store.readInto),
      readWithDigest: guarded(store.readWithDigest),
      putChunk: guarded(store.putChunk),
      getHash: guarded(store.getHash),
      putHash: guarded(store.putHash),
      deleteFile: guarded(store.deleteFile),
      release: guarded(store.release),
    },
    get isClosed() {
      return isClosed;
    },
    async close() {
      isClosed = true;
      await Promise.allSettled(underWay);
    },
  };
}
