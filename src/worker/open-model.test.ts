import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFakeLocks, type FakeLocks } from "../testing/fake-locks.ts";
import { type RangeServer, startRangeServer } from "../testing/range-server.ts";
import type { ChunkStore } from "../weights/chunk-store.ts";
import { createIndexedDbStore } from "../weights/indexeddb-store.ts";
import { openModelFiles } from "../weights/open-checkpoint.ts";
import { createPause } from "../weights/pause.ts";
import type { ModelSource } from "../weights/source-types.ts";
import { createStores } from "../weights/stores.ts";
import type { ByteProgress } from "../weights/types.ts";
import { ifUnchangedElsewhere } from "./if-unchanged.ts";
import { createModelLocks } from "./model-locks.ts";
import { type OpenModelOptions, openModel } from "./open-model.ts";
import { createSharedProgress } from "./shared-progress.ts";

const file = "model.safetensors";
let server: RangeServer;
let browser: FakeLocks;
let database: string;
let numTests = 0;
const channels: BroadcastChannel[] = [];

beforeEach(async () => {
  server = await startRangeServer({ folder: "fixtures/tiny-mxfp4" });
  browser = createFakeLocks();
  database = `open-model-test-${numTests++}`;
});
afterEach(async () => {
  for (const channel of channels.splice(0)) channel.close();
  await server.close();
});

/** A tab of the same browser. */
function tab() {
  const channel = new BroadcastChannel(database);
  channels.push(channel);
  const services = {
    stores: createStores(createIndexedDbStore(database), undefined),
    locks: createModelLocks(browser.locks),
    shared: createSharedProgress(channel as unknown as Parameters<typeof createSharedProgress>[0]),
    pins: { get: async () => undefined, set: async () => {} },
  };
  const progress: ByteProgress[] = [];
  const pause = createPause();
  const abort = new AbortController();
  const open = (more: Partial<OpenModelOptions> = {}, source: ModelSource = { baseUrl: server.url }) =>
    openModel(source, services, {
      forEngine: true,
      onProgress: (report) => void progress.push(report),
      onManifest: () => {},
      onLost: () => {},
      pause,
      signal: abort.signal,
      ...more,
    });
  return {
    open,
    services,
    progress,
    pause,
    abort,
    states: () => new Set(progress.map(({ state }) => state)),
  };
}

const weightRequests = () =>
  server.requests.filter(
    ({ range }) => range !== undefined && range !== "bytes=0-1" && range !== "bytes=0-65535",
  );

describe("a stored model that is not there", () => {
  it("is told with what is stored", async () => {
    const { open } = tab();
    await expect(open({}, { stored: "nix" })).rejects.toMatchObject({
      code: "request-invalid",
      message: "No model nix is stored in this browser. Nothing is stored.",
    });
    await (await open({ forEngine: false })).release();
    await expect(open({}, { stored: "nix" })).rejects.toThrow(
      `No model nix is stored in this browser. Stored are: ${server.url}.`,
    );
    await expect(open({}, { baseUrl: server.url, lora: { stored: "nix" } })).rejects.toThrow(/No model nix/);
  });
});

describe("a model asked for as stored", () => {
  it("goes on from the source of its record where it is there in part, and heals from it", async () => {
    const { open, services, abort, progress } = tab();
    server.fault(file, { kind: "stall", afterBytes: 300_000 }, { skip: 2 });
    const source = { baseUrl: server.url };
    const opening = open({ forEngine: false }, source);
    opening.catch(() => {});
    await expect.poll(() => progress.at(-1)?.loadedBytes ?? 0).toBeGreaterThan(0);
    abort.abort();
    await expect(opening).rejects.toMatchObject({ code: "aborted" });
    const second = tab();
    await (await second.open({ forEngine: false }, { stored: server.url })).release();
    const found = await services.stores.find(server.url);
    expect(found?.model).toMatchObject({ ready: true, source });
    await found?.store.putText(server.url, "config.json", "{}");
    const healed = await second.open({ forEngine: false }, { stored: server.url });
    expect(await healed.files.readText("config.json")).toContain("gpt_oss");
  });
});

describe("openModel in two tabs", () => {
  it("does not make a model ready again, by noting that all of it was checked, that the other one repairs", async () => {
    const [first, second] = [tab(), tab()];
    const { id, release } = await first.open();
    const free = await second.services.locks.hold("download", id, { policy: "refuse" });
    const found = await second.services.stores.find(id);
    if (found === undefined) throw new Error("nothing is stored");
    const { store, model } = found;
    // The repair's first step falls between the note's reading of the record and its writing.
    const raced: ChunkStore = {
      ...store,
      async getModel(name) {
        const record = await store.getModel(name);
        await store.putModel({ ...model, ready: false });
        return record;
      },
    };
    const files = openModelFiles({
      ...{ store: raced, model, remote: undefined, verify: undefined },
      ifUnchanged: ifUnchangedElsewhere(first.services.locks),
    });
    await files.read(file, 0, await files.sizeBytes(file));
    await files.close?.();
    expect(await store.getModel(id)).not.toHaveProperty("checked");
    await store.putModel(model);
    await free();
    await release();
    const again = (await tab().open({ forEngine: false })).files;
    await again.read(file, 0, await again.sizeBytes(file));
    await again.close?.();
    expect(await store.getModel(id), "noted where nobody changes it").toMatchObject({ checked: true });
  });
  it("downloads once: the second shows the first one's progress, then opens what is stored", async () => {
    const [first, second] = [tab(), tab()];
    first.pause.pause();
    const opening = first.open({ forEngine: false });
    await expect.poll(() => first.states()).toContain("paused");
    const waiting = second.open({ forEngine: false });
    // Asked at once, not at the leader's next report: it is paused.
    await expect.poll(() => second.progress.at(-1)?.totalBytes).toBe(first.progress.at(-1)?.totalBytes);
    // A pause in either tab is one of the download.
    await expect.poll(() => second.progress.at(-1)).toMatchObject({ state: "paused", inOtherTab: true });
    second.pause.resume();
    await Promise.all([opening, waiting]);
    expect(weightRequests()).toHaveLength(1);
    expect(
      second.progress.some(({ loadedBytes, state }) => loadedBytes > 0 && state === "waiting-for-other-tab"),
    ).toBe(true);
  });
  it("goes on where the first one was when that dies, and fetches no stored chunk again", async () => {
    const [first, second] = [tab(), tab()];
    server.fault(file, { kind: "stall", afterBytes: 300_000 }, { skip: 2 });
    const opening = first.open();
    opening.catch(() => {});
    await expect.poll(() => first.progress.at(-1)?.loadedBytes ?? 0).toBeGreaterThan(0);
    const waiting = second.open();
    await expect.poll(() => second.progress.at(-1)?.loadedBytes ?? 0).toBeGreaterThan(0);
    browser.killHolders(server.url);
    const { files, id } = await waiting;
    expect(id).toBe(server.url);
    expect(await files.read(file, 0, 8)).toHaveLength(8);
    const loaded = second.progress.map(({ loadedBytes }) => loadedBytes);
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
    first.abort.abort();
  });
  it("has one engine a model: another tab waits, is refused, takes over, or shares", async () => {
    const [first, second] = [tab(), tab()];
    let lost = 0;
    const held = await first.open({ onLost: () => void lost++ });
    await expect(second.open({ otherTab: "refuse" })).rejects.toMatchObject({
      code: "busy",
      details: { reason: "model-in-other-tab" },
    });
    await (await second.open({ otherTab: "share" })).release();
    const waiting = second.open();
    await expect.poll(() => second.states()).toContain("waiting-for-other-tab");
    await held.release();
    const next = await waiting;
    expect(lost).toBe(0);
    await first.open({ otherTab: "take-over" });
    await next.release();
  });
  it("gives the model back where opening it fails", async () => {
    const [first, second] = [tab(), tab()];
    server.fault(file, { kind: "status", status: 404 });
    await expect(first.open()).rejects.toMatchObject({ code: "download-failed" });
    await (await second.open({ otherTab: "refuse" })).release();
  });
  it("stops waiting at an abort", async () => {
    const [first, second] = [tab(), tab()];
    await first.open();
    const waiting = second.open();
    await expect.poll(() => second.states()).toContain("waiting-for-other-tab");
    second.abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: "aborted" });
  });
  it.each([
    ["connections", { connections: 0 }],
    ["connections", { connections: 2.5 }],
  ])("refuses %s out of range", async (name, options) => {
    await expect(tab().open(options)).rejects.toMatchObject({
      code: "request-invalid",
      details: { [name]: options[name as "connections"] },
    });
  });
});
