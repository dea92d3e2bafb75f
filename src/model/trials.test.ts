import { describe, expect, it } from "vitest";
import { settled } from "./trials.ts";

const later = () => new Promise<void>((resolve) => setTimeout(resolve));

describe("settled", () => {
  it("has what each came to, in order", async () => {
    expect(await settled(Promise.resolve("a"), 2, Promise.resolve(false))).toEqual(["a", 2, false]);
  });

  it("waits for the others where one fails", async () => {
    const events: string[] = [];
    const slow = later().then(() => events.push("the other ended"));
    await settled(Promise.reject(new Error("at once")), slow).catch(() => events.push("thrown"));
    expect(events).toEqual(["the other ended", "thrown"]);
  });

  it("throws the first in the list that failed, also where a later one failed before it", async () => {
    const slow = later().then(() => Promise.reject(new Error("first, later")));
    const all = settled(1, slow, Promise.reject(new Error("second, at once")));
    await expect(all).rejects.toThrow("first, later");
  });
});
