import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { RememberedSettings } from "../runtime/choose-tuning.ts";

/** Where settings are kept: the user's cache folder, since whatever is lost is measured again. */
export function settingsPath(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "gpt-oss-webgpu", "settings.json");
}

/** Small values in one JSON file. A file that is missing or broken holds nothing; `set` rejects where it cannot be written. */
export function createSettingsFile(path = settingsPath()): RememberedSettings {
  async function read(): Promise<Record<string, unknown>> {
    try {
      const value: unknown = JSON.parse(await readFile(path, "utf8"));
      return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
    } catch {
      return {};
    }
  }
  return {
    get: async (key) => (await read())[key],
    async set(key, value) {
      const all = { ...(await read()), [key]: value };
      await mkdir(dirname(path), { recursive: true });
      const partial = `${path}.${process.pid}`; // whoever reads meanwhile sees the old file or the new one
      await writeFile(partial, `${JSON.stringify(all, undefined, 2)}\n`);
      await rename(partial, path);
    },
  };
}
