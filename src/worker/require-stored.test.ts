import "fake-indexeddb/auto";
import { expect, it } from "vitest";
import { contractModel } from "../testing/store-contract.ts";
import { createIndexedDbStore } from "../weights/indexeddb-store.ts";
import { createOpfsStore } from "../weights/opfs/opfs-store.ts";
import { createStores } from "../weights/stores.ts";
import { requireStored } from "./require-stored.ts";

it("finds a model, and otherwise says what is stored, or that a store does not answer", async () => {
  const indexeddb = createIndexedDbStore("require-stored-test");
  await indexeddb.putModel(contractModel("a"));
  const stores = createStores(indexeddb, undefined);
  expect((await requireStored(stores, "a")).model.id).toBe("a");
  await expect(requireStored(stores, "b")).rejects.toMatchObject({
    code: "request-invalid",
    details: { id: "b", stored: ["a"] },
  });
  const refusing = createOpfsStore(async () => {
    throw new DOMException("no", "SecurityError");
  });
  const withFault = createStores(indexeddb, refusing);
  expect((await requireStored(withFault, "a")).model.id).toBe("a");
  await expect(requireStored(withFault, "b")).rejects.toMatchObject({
    code: "storage-failed",
    details: { id: "b", store: "opfs" },
  });
});
