import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSettingsFile, settingsPath } from "./settings-file.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gpt-oss-webgpu-settings-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("settings in a file", () => {
  it("are there for the next process, beside the others", async () => {
    const path = join(folder, "new", "settings.json");
    expect(await createSettingsFile(path).get("a")).toBeUndefined();
    await createSettingsFile(path).set("a", { rows: 4 });
    await createSettingsFile(path).set("b", 2);
    expect(await createSettingsFile(path).get("a")).toEqual({ rows: 4 });
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ a: { rows: 4 }, b: 2 });
  });

  it.each(["", "[1]", "null", "{"])(
    "hold nothing where the file is broken (%j), and mend it",
    async (text) => {
      const path = join(folder, "settings.json");
      await writeFile(path, text);
      const settings = createSettingsFile(path);
      expect(await settings.get("0")).toBeUndefined();
      await settings.set("a", 1);
      expect(await settings.get("a")).toBe(1);
    },
  );

  it("reject where they cannot be written", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(createSettingsFile(join(folder, "file", "settings.json")).set("a", 1)).rejects.toThrow();
  });

  it("lie in the cache folder that the environment names", () => {
    expect(settingsPath({ XDG_CACHE_HOME: "/cache" })).toBe("/cache/gpt-oss-webgpu/settings.json");
    expect(settingsPath({})).toMatch(/\.cache\/gpt-oss-webgpu\/settings\.json$/);
  });
});
