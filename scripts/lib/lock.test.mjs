import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { withLock } from "./lock.mjs";

const folder = mkdtempSync(join(tmpdir(), "lock-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("lets one at a time in", async () => {
  let inside = 0;
  let most = 0;
  const action = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setTimeout(resolve, 20));
    inside -= 1;
  };
  await Promise.all([1, 2, 3].map(() => withLock("one", action, folder)));
  expect(most).toBe(1);
});

it("is free again after a failure", async () => {
  const failing = () => Promise.reject(new Error("on purpose"));
  await expect(withLock("two", failing, folder)).rejects.toThrow("on purpose");
  expect(await withLock("two", async () => "in", folder)).toBe("in");
});

it("takes over from a process that died", async () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  mkdirSync(join(folder, "three"));
  writeFileSync(join(folder, "three/pid"), String(pid));
  expect(await withLock("three", async () => "in", folder)).toBe("in");
});
