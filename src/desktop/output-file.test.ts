import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { openOutputFile } from "./output-file.ts";

const scratch = mkdtempSync(join(tmpdir(), "gpt-oss-webgpu-out-"));
afterAll(() => rmSync(scratch, { recursive: true }));

it("replaces what a longer file held", async () => {
  const path = join(scratch, "old");
  writeFileSync(path, "a long text from before");
  const file = await openOutputFile("out", path);
  expect(readFileSync(path, "utf8")).toBe("a long text from before");
  await file.write(Buffer.from("new"));
  await file.discard();
  expect(readFileSync(path, "utf8")).toBe("new");
});

it("leaves things as they were where there is nothing to write", async () => {
  const old = join(scratch, "kept");
  writeFileSync(old, "kept");
  const fresh = join(scratch, "fresh");
  for (const path of [old, fresh]) {
    const file = await openOutputFile("out", path);
    expect(existsSync(path)).toBe(true);
    await file.discard();
    await file.discard();
  }
  expect(readFileSync(old, "utf8")).toBe("kept");
  expect(existsSync(fresh)).toBe(false);
});

it("writes to a device", async () => {
  const file = await openOutputFile("out", "/dev/null");
  await file.write(Uint8Array.of(1, 2));
});

it.each([
  ["a folder", () => scratch, /--out must be a file, but .* is a folder/],
  ["a folder that is not there", () => join(scratch, "no/x"), /its folder does not exist\.$/],
  ["a file's inside", () => join(scratch, "kept/x"), /cannot be written: not a directory\.$/],
  ["too long a name", () => join(scratch, "x".repeat(300)), /cannot be written: name too long\.$/],
])("refuses %s in one sentence", async (_, path, sentence) => {
  await expect(openOutputFile("out", path())).rejects.toMatchObject({
    code: "request-invalid",
    message: expect.stringMatching(sentence),
  });
});
