import { expect, it, vi } from "vitest";
import { createPersistence } from "./persistence.ts";

it("asks once, and not at all where the browser promised before", async () => {
  const persist = vi.fn(async () => false);
  const asking = createPersistence({ persist, persisted: async () => false });
  asking.ask();
  asking.ask();
  await expect.poll(() => persist.mock.calls.length).toBe(1);
  const before = vi.fn(async () => true);
  createPersistence({ persist: before, persisted: async () => true }).ask();
  await new Promise((resolve) => setTimeout(resolve));
  expect(before).not.toHaveBeenCalled();
});

const nothing = { usageBytes: undefined, claimedQuotaBytes: undefined };
it.each<[string, () => unknown, object]>([
  ["gives figures", async () => ({ usage: 5, quota: 10 }), { usageBytes: 5, claimedQuotaBytes: 10 }],
  ["says nothing", async () => ({}), nothing],
  ["answers nothing", async () => undefined, nothing],
  ["answers no promise", () => undefined, nothing],
  ["has no figures", async () => ({ usage: Number.NaN, quota: Number.POSITIVE_INFINITY }), nothing],
  ["claims no room", async () => ({ usage: 5, quota: 0 }), { usageBytes: 5, claimedQuotaBytes: 0 }],
  ["fails", () => Promise.reject(new Error("no")), nothing],
  [
    "throws",
    () => {
      throw new Error("no");
    },
    nothing,
  ],
])("tells what a browser says that %s", async (_, estimate, facts) => {
  const storage = { estimate, persisted: estimate } as Partial<StorageManager>;
  expect(await createPersistence(storage).facts()).toEqual({ persisted: false, ...facts });
});

it("does without a storage manager, and takes a refusal", async () => {
  expect(await createPersistence({}).facts()).toMatchObject({ persisted: false });
  createPersistence({ persist: () => Promise.reject(new Error("denied")) }).ask();
  await new Promise((resolve) => setTimeout(resolve));
});
