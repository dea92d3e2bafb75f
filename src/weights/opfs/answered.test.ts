import { expect, it } from "vitest";
import { answered } from "./answered.ts";

it("passes on what a promise settles to, and gives up on one that never does", async () => {
  expect(await answered(Promise.resolve(3))).toBe(3);
  await expect(answered(Promise.reject(new Error("no")))).rejects.toThrow("no");
  await expect(answered(new Promise(() => {}), 10)).rejects.toMatchObject({ name: "TimeoutError" });
});
