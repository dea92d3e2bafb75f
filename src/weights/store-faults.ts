import { EngineError, isEngineError } from "../errors.ts";
import type { ChunkStore, StoreKind } from "./chunk-store.ts";

/** A store of this browser that does not answer, and why. */
export interface StoreFault {
  readonly store: StoreKind;
  readonly message: string;
}

/** The error where a model that no other store has may lie in the one that fails. */
export function unknownWhether(id: string, { store, message }: StoreFault): EngineError {
  return new EngineError(
    "storage-failed",
    `Whether ${id} is stored cannot be told: of the browser's stores ${store} does not answer. ${message}`,
    { details: { id, store } },
  );
}

/** Stores of which one may fail without stopping the others. */
export interface WatchedStores {
  /**
   * Asks every store that answers, in their order. One that fails is left out, and tried again in the background at
   * each later question. @throws storage-failed where none answers
   */
  ask<T>(question: (store: ChunkStore) => Promise<T>): Promise<T[]>;
  /** A store that is asked for by name: one that was left out before is tried again now. @throws storage-failed */
  require(store: ChunkStore): Promise<ChunkStore>;
  /** The stores that did not fail. */
  answering(): readonly ChunkStore[];
  /** Those that do not answer now. */
  faults(): Promise<readonly StoreFault[]>;
}

interface Failure {
  readonly error: EngineError;
  readonly atMs: number;
}

/** No model's id: asking for its record shows whether a store answers. */
const nobody = "";

/** A store that failed less than this ago is not tried again: it may have taken many seconds to give up. */
const freshMs = 1000;

export function watchStores(all: readonly ChunkStore[]): WatchedStores {
  const faults = new Map<ChunkStore, Failure>();
  const trials = new Map<ChunkStore, Promise<void>>();
  const answering = () => all.filter((store) => !faults.has(store));

  /** Asks a failed store again, once at a time. */
  function tryAgain(store: ChunkStore): Promise<void> {
    const trial = trials.get(store) ?? store.getModel(nobody).then(() => void faults.delete(store));
    trials.set(store, trial);
    const forget = () => void trials.delete(store);
    trial.then(forget, forget);
    return trial;
  }

  async function askOne<T>(store: ChunkStore, question: (store: ChunkStore) => Promise<T>) {
    try {
      return { answer: await question(store) };
    } catch (error) {
      if (!isEngineError(error, "storage-failed")) throw error;
      faults.set(store, { error, atMs: performance.now() });
      return undefined;
    }
  }

  async function ask<T>(question: (store: ChunkStore) => Promise<T>): Promise<T[]> {
    if (answering().length === 0) faults.clear(); // nothing to go on with: all are asked again
    for (const store of faults.keys()) tryAgain(store).catch(() => {});
    const asked = await Promise.all(answering().map((store) => askOne(store, question)));
    const answers = asked.filter((one) => one !== undefined).map(({ answer }) => answer);
    const [failure] = faults.values();
    if (answers.length === 0 && failure !== undefined) throw failure.error;
    return answers;
  }

  return {
    ask,
    answering,
    async require(store) {
      const failure = faults.get(store);
      if (failure === undefined) return store;
      if (performance.now() - failure.atMs < freshMs) throw failure.error;
      await tryAgain(store);
      return store;
    },
    async faults() {
      await ask((store) => store.getModel(nobody)).catch(() => {});
      return [...faults].map(([{ kind }, { error }]) => ({ store: kind, message: error.message }));
    },
  };
}
