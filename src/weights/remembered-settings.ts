import { createStore, get, set } from "idb-keyval";

/** Small values in IndexedDB, apart from the models: what was measured of an adapter. Rejects where the browser stores nothing. */
export function createRememberedSettings(): {
  readonly get: (key: string) => Promise<unknown>;
  readonly set: (key: string, value: unknown) => Promise<void>;
} {
  let store: ReturnType<typeof createStore> | undefined;
  const opened = () => {
    store ??= createStore("gpt-oss-webgpu-settings", "settings");
    return store;
  };
  return {
    get: async (key) => get(key, opened()),
    set: async (key, value) => set(key, value, opened()),
  };
}
