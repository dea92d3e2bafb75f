import { promisifyRequest } from "idb-keyval";
import { openDatabase } from "./indexed-database.ts";

/** Small values in IndexedDB, apart from the models: what was measured of an adapter. Rejects where the browser stores nothing. */
export function createRememberedSettings(databaseName = "gpt-oss-webgpu-settings"): {
  readonly get: (key: string) => Promise<unknown>;
  readonly set: (key: string, value: unknown) => Promise<void>;
} {
  const run = openDatabase(databaseName, "settings");
  return {
    get: (key) =>
      run(`reading ${key}`, "readonly", (settings) => promisifyRequest<unknown>(settings.get(key))),
    set: (key, value) =>
      run(`remembering ${key}`, "readwrite", (settings) => {
        settings.put(value, key);
        return promisifyRequest(settings.transaction);
      }),
  };
}
