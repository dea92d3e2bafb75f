// Two tabs of one browser: whole hosts over real stores, with fake locks and a fake GPU.
import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFolderFiles } from "../desktop/folder-files.ts";
import { EngineError, isEngineError } from "../errors.ts";
import type { Engine } from "../runtime/types.ts";
import { aborted, createFakeEngine, fakeServices } from "../testing/fake-engine.ts";
import { createFakeLocks, type FakeLocks } from "../testing/fake-locks.ts";
import { loraAdapter } from "../testing/lora-adapter.ts";
import { type RangeServer, startRangeServer } from "../testing/range-server.ts";
import { createIndexedDbStore } from "../weights/indexeddb-store.ts";
import type { ModelSource } from "../weights/source-types.ts";
import { createStores } from "../weights/stores.ts";
import type { ByteProgress } from "../weights/types.ts";
import { createHost } from "./host.ts";
import { createModelLocks } from "./model-locks.ts";
import { openModel } from "./open-model.ts";
import { protocolVersion, type WireDownloadOptions, type WireLoadOptions } from "./protocol.ts";
import { createSharedProgress } from "./shared-progress.ts";
import { createStoredModels } from "./stored-models.ts";

const file = "model.safetensors";
let server: RangeServer;
let browser: FakeLocks;
let database: string;
let numTests = 0;
const closing: (() => unknown)[] = [];

beforeEach(async () => {
  server = await startRangeServer({ folder: "fixtures/tiny-mxfp4" });
  closing.push(server.close);
  browser = createFakeLocks();
  database = `two-tabs-test-${numTests++}`;
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A tab of the same browser. */
function tab(engine: Engine = createFakeEngine()) {
  const channel = new BroadcastChannel(database);
  closing.push(() => channel.close());
  const services = {
    stores: createStores(createIndexedDbStore(database), undefined),
    locks: createModelLocks(browser.locks),
    shared: createSharedProgress(channel as unknown as Parameters<typeof createSharedProgress>[0]),
    pins: { get: async () => undefined, set: async () => {} },
  };
  const { api } = createHost(
    fakeServices(engine, {
      openModel: (source, options) => openModel(source, services, options),
      stored: createStoredModels(services),
    }),
  );
  const progress: ByteProgress[] = [];
  const deliver = async (batch: readonly ByteProgress[]) => void progress.push(...batch);
  const faults: unknown[] = [];
  void api.hello((error) => void faults.push(error), protocolVersion);
  let call = 0;
  return {
    api,
    progress,
    faults,
    state: () => progress.at(-1)?.state,
    load: (options: WireLoadOptions = {}, source: ModelSource = { baseUrl: server.url }) =>
      outcome(api.load(++call, source, options, deliver)),
    download: (options: WireDownloadOptions = {}) =>
      outcome(api.download(++call, { baseUrl: server.url }, options, deliver)),
  };
}

/** `done`, or the error's code and reason. */
function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "done",
    (error: unknown) => {
      if (!isEngineError(error)) throw error;
      const { reason } = error.details;
      return reason === undefined ? error.code : `${error.code}: ${reason}`;
    },
  );
}

/** Holds the weights up until it is called. */
function holdWeights(): () => void {
  server.wholeFileDelayMs = 5000;
  return () => {
    server.wholeFileDelayMs = 0;
  };
}

/** One tab that downloads, and waits for the weights. */
async function downloading() {
  const first = tab();
  const release = holdWeights();
  const ended = first.download();
  await expect.poll(() => first.progress.at(-1)?.totalBytes ?? 0).toBeGreaterThan(0);
  return { first, ended, release };
}

describe("a pause", () => {
  it("is one in both tabs, whichever began it and whichever ends it, as often as they like", async () => {
    const { first, ended, release } = await downloading();
    const second = tab();
    const waiting = second.download();
    await expect.poll(second.state).toBe("waiting-for-other-tab");
    const both = async (firsts: string, seconds: string) => {
      await expect.poll(first.state).toBe(firsts);
      await expect.poll(second.state).toBe(seconds);
    };
    await second.api.pauseDownload();
    await both("paused", "paused");
    await first.api.resumeDownload();
    await both("running", "waiting-for-other-tab");
    await second.api.pauseDownload();
    await both("paused", "paused");
    await second.api.resumeDownload();
    await both("running", "waiting-for-other-tab");
    await first.api.pauseDownload();
    await both("paused", "paused");
    await first.api.resumeDownload();
    await both("running", "waiting-for-other-tab");
    release();
    await first.api.cancelDownload(false);
    expect(await ended).toBe("aborted");
    expect(await waiting, "goes on, and is not paused").toBe("done");
  });

  it("of the first tab is seen by one that comes later, and ended by it", async () => {
    const { first, ended, release } = await downloading();
    await first.api.pauseDownload();
    const second = tab();
    const waiting = second.load({ otherTab: "wait" });
    await expect.poll(() => second.progress.at(-1)).toMatchObject({ state: "paused", inOtherTab: true });
    release();
    await second.api.resumeDownload();
    expect(await ended).toBe("done");
    expect(await waiting).toBe("done");
  });
});

describe("a takeover", () => {
  it("takes a download, also one that is paused; the tab that had it is told", async () => {
    const { first, ended, release } = await downloading();
    await first.api.pauseDownload();
    await expect.poll(first.state).toBe("paused");
    release();
    const second = tab();
    expect(await second.load({ otherTab: "take-over" })).toBe("done");
    expect(await ended).toBe("busy: model-taken-over");
    expect(await first.load({ otherTab: "share", store: "indexeddb" }), "it is stored").toBe("done");
  });

  it("of a model that is being downloaded for the GPU ends the load there as taken over", async () => {
    const [first, second] = [tab(), tab()];
    const release = holdWeights();
    const loading = first.load();
    await expect.poll(() => first.progress.length).toBeGreaterThan(0);
    release();
    expect(await second.load({ otherTab: "take-over" })).toBe("done");
    expect(await loading).toBe("busy: model-taken-over");
    expect(first.faults, "said once").toEqual([]);
  });

  it("of a model on its way to the GPU ends the load there as taken over", async () => {
    const slow = createFakeEngine({
      load: async (_, options) => {
        options?.onProgress?.({ phase: "load", loadedBytes: 1, totalBytes: 100, file });
        await aborted(options?.signal);
        throw new EngineError("aborted", "The load was aborted.");
      },
    });
    const [first, second] = [tab(slow), tab()];
    const loading = first.load();
    await expect.poll(() => first.progress.at(-1)?.phase).toBe("load");
    expect(await second.load({ otherTab: "take-over" })).toBe("done");
    expect(await loading).toBe("busy: model-taken-over");
    expect(first.faults, "said once").toEqual([]);
  });
});

describe("a download of what another tab downloads", () => {
  it("is refused where it asks for that, unlike a load, and not where the model is stored", async () => {
    const { first, ended, release } = await downloading();
    const [second, third] = [tab(), tab()];
    expect(await second.download({ otherTab: "refuse" })).toBe("busy: model-in-other-tab");
    expect(second.progress, "nothing is under way here").toEqual([]);
    const loading = third.load({ otherTab: "refuse" });
    await expect.poll(third.state).toBe("waiting-for-other-tab");
    release();
    await first.api.pauseDownload(); // a new request is not held
    await first.api.resumeDownload();
    expect(await Promise.all([ended, loading])).toEqual(["done", "done"]);
    expect(await second.download({ otherTab: "refuse" })).toBe("done");
  });

  it("takes it over, and the other tab is told", async () => {
    const { ended, release } = await downloading();
    const second = tab();
    release();
    expect(await second.download({ otherTab: "take-over" })).toBe("done");
    expect(await ended).toBe("busy: model-taken-over");
    expect((await second.api.models()).map(({ ready }) => ready)).toEqual([true]);
  });

  it("waits for it by default, as it says", async () => {
    const { first, ended, release } = await downloading();
    const second = tab();
    const waiting = second.download({ otherTab: "wait" });
    await expect.poll(second.state).toBe("waiting-for-other-tab");
    release();
    await first.api.cancelDownload(false);
    expect(await Promise.all([ended, waiting])).toEqual(["aborted", "done"]);
  });
});

describe("cancelling with deletePartial", () => {
  it("in a tab that waits ends its wait, and leaves the download to the tab that does it", async () => {
    const { first, ended, release } = await downloading();
    const second = tab();
    const waiting = second.download();
    await expect.poll(second.state).toBe("waiting-for-other-tab");
    await second.api.cancelDownload(true);
    expect(await waiting).toBe("aborted");
    release();
    await first.api.pauseDownload(); // a new request is not held
    await first.api.resumeDownload();
    expect(await ended).toBe("done");
  });

  it("in the tab that downloads leaves what is there to one that waits", async () => {
    const { first, ended, release } = await downloading();
    const second = tab();
    const waiting = second.download();
    await expect.poll(second.state).toBe("waiting-for-other-tab");
    release();
    await first.api.cancelDownload(true);
    expect(await ended).toBe("aborted");
    expect(await waiting).toBe("done");
  });

  it("in the only tab deletes what has come", async () => {
    const { first, ended } = await downloading();
    await first.api.cancelDownload(true);
    expect(await ended).toBe("aborted");
    expect(await first.api.models()).toEqual([]);
  });
});

describe("a LoRA adapter", () => {
  const weights = "adapter_model.safetensors";

  async function adapterServer(): Promise<RangeServer> {
    const adapter = await loraAdapter(createFolderFiles("fixtures/tiny-mxfp4"), { rank: 2, alpha: 4 });
    const other = await startRangeServer();
    closing.push(other.close);
    other.files.set("adapter_config.json", (await adapter.readText("adapter_config.json")) ?? "");
    other.files.set(weights, await adapter.read(weights, 0, await adapter.sizeBytes(weights)));
    return other;
  }

  it("is fetched by one of two tabs, shown by both, and can be paused", async () => {
    const other = await adapterServer();
    const wholeBytes = other.files.get(weights)?.length ?? 0;
    const [first, second] = [tab(), tab()];
    other.wholeFileDelayMs = 5000;
    const source = { baseUrl: server.url, lora: { baseUrl: other.url } };
    const loading = first.load({ otherTab: "share" }, source);
    await expect.poll(() => first.progress.at(-1)?.totalBytes).toBe(wholeBytes);
    const waiting = second.load({ otherTab: "share" }, source);
    await expect.poll(() => second.progress.at(-1)?.totalBytes).toBe(wholeBytes);
    expect(second.state()).toBe("waiting-for-other-tab");
    await second.api.pauseDownload();
    await expect.poll(first.state).toBe("paused");
    other.wholeFileDelayMs = 0;
    await first.api.resumeDownload();
    expect(await Promise.all([loading, waiting])).toEqual(["done", "done"]);
    const numFetched = other.requests.filter(({ range }) => range === `bytes=0-${wholeBytes - 1}`).length;
    expect(numFetched, "but for the one that was held").toBe(1);
    expect(first.progress.filter(({ phase }) => phase === "download").at(-1)?.file).toBe(file);
  });

  it("that is not stored whole is deleted too where its download is cancelled", async () => {
    const other = await adapterServer();
    other.wholeFileDelayMs = 5000;
    const first = tab();
    const loading = first.load({}, { baseUrl: server.url, lora: { baseUrl: other.url } });
    await expect.poll(() => first.progress.length).toBeGreaterThan(0);
    await first.api.cancelDownload(true);
    expect(await loading).toBe("aborted");
    expect(await first.api.models()).toEqual([]);
  });
});
