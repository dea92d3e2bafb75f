import { expect, it } from "vitest";
import { createBrowserServices } from "./browser-services.ts";

const storageBytes = (estimate: unknown) =>
  createBrowserServices({ navigator: { storage: { estimate } } as unknown as Navigator }).storageBytes();

it("tells the room that the browser claims, never less than none", async () => {
  expect(await storageBytes(async () => ({ quota: 10, usage: 4 }))).toBe(6);
  expect(await storageBytes(async () => ({ quota: 0, usage: 4 }))).toBe(0);
});

it.each<[string, unknown]>([
  ["is not there", undefined],
  ["answers nothing", () => undefined],
  ["rejects", async () => Promise.reject(new Error("no"))],
  ["has no figures", async () => ({ quota: Number.POSITIVE_INFINITY, usage: Number.NaN })],
  [
    "throws",
    () => {
      throw new Error("no");
    },
  ],
])("tells nothing of room where estimate() %s", async (_, estimate) => {
  expect(await storageBytes(estimate)).toBeUndefined();
});
