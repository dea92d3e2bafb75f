import { type FileHandle, open } from "node:fs/promises";
import { expect, it } from "vitest";
import { createOpenFiles } from "./open-files.ts";

function counted() {
  const handles: FileHandle[] = [];
  const withFile = createOpenFiles(async (name) => {
    const file = await open(name);
    handles.push(file);
    return file;
  });
  /** A FileHandle that is closed has the descriptor -1. */
  const numOpen = () => handles.filter(({ fd }) => fd !== -1).length;
  return { withFile, numOpen, numOpened: () => handles.length };
}

it("opens a file once for all who read it at once, and closes it after the last, also after a failure", async () => {
  const { withFile, numOpen, numOpened } = counted();
  let end = () => {};
  const long = withFile("package.json", () => new Promise<void>((resolve) => (end = resolve)));
  const failing = withFile("package.json", async () => {
    throw new Error("no luck");
  });
  await expect(failing).rejects.toThrow("no luck");
  expect(await withFile("package.json", async ({ fd }) => fd)).toBeGreaterThan(0);
  expect([numOpened(), numOpen()]).toEqual([1, 1]);
  end();
  await long;
  expect(numOpen()).toBe(0);
  await withFile("package.json", async () => expect(numOpen()).toBe(1));
  expect([numOpened(), numOpen()]).toEqual([2, 0]);
});

it("tries again to open what could not be opened", async () => {
  const { withFile, numOpened } = counted();
  const reads = ["nowhere", "nowhere"].map((name) => withFile(name, async () => 1));
  for (const { status } of await Promise.allSettled(reads)) expect(status).toBe("rejected");
  await expect(withFile("nowhere", async () => 1)).rejects.toMatchObject({ code: "ENOENT" });
  expect(numOpened()).toBe(0);
});
