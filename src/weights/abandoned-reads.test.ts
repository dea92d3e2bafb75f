// Reads that nobody waits for any more: what they do later must not open a model's files again, which would lock other tabs out.
import { describe, expect, it } from "vitest";
import { EngineError } from "../errors.ts";
import { createFakeOpfs, type FakeOpfs } from "../testing/fake-opfs.ts";
import { fakeReadWorkers } from "../testing/fake-read-worker.ts";
import { memoryRemote, sha256Hex } from "../testing/memory-remote.ts";
import type { StoredModel } from "./chunk-store.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { createOpfsStore } from "./opfs/opfs-store.ts";
import { createCachedFiles } from "./stored-files.ts";

const content = Uint8Array.from({ length: 600 }, (_, i) => (i * 31) % 251);
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Another tab, which finds no file open. */
const deleteElsewhere = (fake: FakeOpfs, id: string) =>
  createOpfsStore(async () => fake.root, { lockWaitMs: 20 }).deleteModel(id);

describe.each([true, false])("an aborted load (reading workers: %s)", (withWorkers) => {
  it("leaves nothing open once its files are closed, whenever it was aborted", async () => {
    const model: StoredModel = {
      ...{ version: 1, id: "m", ready: true, chunkBytes: 100, texts: [] },
      files: [{ name: "f", sizeBytes: 600, etag: null }],
    };
    for (let moment = 0; moment < 40; moment += 1) {
      const fake = createFakeOpfs();
      const workers = fakeReadWorkers();
      const readers = withWorkers ? { openPort: workers.open, numWorkers: 2, leastBytes: 10 } : undefined;
      const store = createOpfsStore(async () => fake.root, { lockWaitMs: 0, readers });
      await store.putModel(model);
      for (let index = 0; index < 6; index += 1) {
        const chunk = content.slice(100 * index, 100 * index + 100);
        await store.putChunk({ id: "m", file: "f", index, startBytes: 100 * index }, chunk, sha256Hex(chunk));
      }
      await store.release("m");
      const files = createCachedFiles({ store, model, verify: moment % 2 === 0 ? "full" : "none" });
      const stop = new AbortController();
      const lane = async (first: number) => {
        for (let i = first; i < 60; i += 3)
          await files.readInto?.("f", (i % 6) * 100, new Uint8Array(100), stop.signal);
      };
      const lanes = Promise.allSettled([0, 1, 2].map(lane));
      if (moment < 30) for (let i = 0; i < 4 * moment; i += 1) await Promise.resolve();
      else await later(moment - 29);
      stop.abort();
      await lanes;
      await files.close?.();
      expect(workers.numOpen()).toBe(0);
      await later(5);
      await deleteElsewhere(fake, "m");
    }
  });
});

describe("a model that cannot be opened", () => {
  async function stored() {
    const fake = createFakeOpfs();
    const store = createOpfsStore(async () => fake.root, { lockWaitMs: 0 });
    const source = memoryRemote("tiny-mxfp4", ["config.json", "model.safetensors"]);
    const { files } = await openCheckpoint({ source, store });
    await files.close?.();
    return { fake, store, source };
  }

  it("is open in no file where its header is damaged and the network away", async () => {
    const { fake, store, source } = await stored();
    for (const [path, bytes] of fake.files()) if (path.includes("data-")) bytes.fill(0, 0, 400);
    const offline = {
      ...source,
      fetchRange: async () => {
        throw new EngineError("download-failed", "offline");
      },
    };
    await expect(openCheckpoint({ source: offline, store })).rejects.toMatchObject({
      code: "checksum-mismatch",
    });
    await deleteElsewhere(fake, source.id);
  });

  it("is open in no file where opening it was aborted", async () => {
    for (let moment = 0; moment < 12; moment += 1) {
      const { fake, store, source } = await stored();
      const stop = new AbortController();
      const opening = openCheckpoint({ source, store, signal: stop.signal });
      const closed = opening.then(
        ({ files }) => files.close?.(),
        () => {},
      );
      await later(moment / 2);
      stop.abort();
      await closed;
      await later(5);
      await deleteElsewhere(fake, source.id);
    }
  });
});
