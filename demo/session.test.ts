import { describe, expect, test } from "vitest";
import { type ByteProgress, EngineError } from "../src/index.ts";
import { fakeInfo as info } from "../src/testing/fake-engine.ts";
import { createSession, type ModelStatus, type SessionEngine } from "./session.ts";

const one = { name: "one", source: { baseUrl: "models/one/" } };
const two = { name: "two", source: { baseUrl: "models/two/" } };
const { signal } = new AbortController();
const busy = new EngineError("busy", "the engine already serves a request");

const unused = () => {
  throw new Error("not used");
};

/** A session over an engine whose loads the test makes. */
function start(load: SessionEngine["load"]) {
  const seen: ModelStatus[] = [];
  const session = createSession({
    chunkBytes: undefined,
    onStatus: (status) => seen.push(status),
    createEngine: () => ({
      load,
      ...{ chat: unused, download: unused, capabilities: unused, storage: unused, models: unused },
      ...{ pauseDownload: unused, resumeDownload: unused, exportModel: unused, deleteModel: unused },
      ...{ verifyModel: unused, repairModel: unused, dispose: () => {} },
    }),
  });
  return { session, seen };
}

describe("a load that is refused as busy", () => {
  test("leaves the loaded model as it was", async () => {
    const { session, seen } = start(async (source) => {
      if ("baseUrl" in source && source.baseUrl === one.source.baseUrl) return info;
      throw busy;
    });
    await session.load(one, signal);
    await expect(session.load(two, signal)).rejects.toBe(busy);
    expect(session.status()).toEqual({ state: "ready", choice: one, info });
    expect(seen.at(-1)).toBe(session.status());
  });

  test("leaves the progress of the load under way", async () => {
    let report: (progress: ByteProgress) => void = () => {};
    const { session } = start((source, { onProgress = () => {} } = {}) => {
      if ("baseUrl" in source && source.baseUrl === two.source.baseUrl) return Promise.reject(busy);
      report = onProgress;
      return new Promise(() => {});
    });
    void session.load(one, signal);
    const progress: ByteProgress = { phase: "download", loadedBytes: 1, totalBytes: 2, file: "a" };
    const refused = session.load(two, signal);
    report(progress);
    await expect(refused).rejects.toBe(busy);
    expect(session.status()).toEqual({ state: "loading", choice: one, progress });
  });
});

test("a load that another tab takes over is shown as that", async () => {
  const error = new EngineError("busy", "taken over", { details: { reason: "model-taken-over", id: "m" } });
  const { session } = start(() => Promise.reject(error));
  await expect(session.load(one, signal)).rejects.toBe(error);
  expect(session.status()).toEqual({ state: "error", choice: one, error });
});

test("any other failure is shown", async () => {
  const error = new EngineError("download-failed", "no network");
  const { session } = start(() => Promise.reject(error));
  await expect(session.load(one, signal)).rejects.toBe(error);
  expect(session.status()).toEqual({ state: "error", choice: one, error });
});

test("settings that change the model load it anew, where it is kept does not", async () => {
  const asked: unknown[] = [];
  const { session } = start(async (_, options) => {
    asked.push(options?.dense);
    return info;
  });
  await session.load(one, signal);
  await session.load({ ...one, settings: { store: "opfs" } }, signal);
  await session.load({ ...one, settings: { dense: "int8" } }, signal);
  expect(asked).toEqual([undefined, "int8"]);
});

test("a load that waits for another tab takes the model over when told to", async () => {
  const policies: unknown[] = [];
  const { session } = start((_, { otherTab, signal: ended } = {}) => {
    policies.push(otherTab);
    if (otherTab === "take-over") return Promise.resolve(info);
    const aborted = new EngineError("aborted", "ended");
    return new Promise((_resolve, reject) => ended?.addEventListener("abort", () => reject(aborted)));
  });
  const loading = session.load(one, signal);
  session.takeOver();
  await loading;
  expect(policies).toEqual(["wait", "take-over"]);
  expect(session.status().state).toBe("ready");
});

describe("what is found before a load", () => {
  const refusal = new EngineError("limit-exceeded", "too large");
  const refuse = () => Promise.reject(refusal);

  test("stops it", async () => {
    let numLoads = 0;
    const { session } = start(async () => {
      numLoads += 1;
      return info;
    });
    await expect(session.load(one, signal, refuse)).rejects.toBe(refusal);
    expect(session.status()).toEqual({ state: "error", choice: one, error: refusal });
    expect(numLoads).toBe(0);
  });

  test("leaves the loaded model as it was", async () => {
    const { session } = start(async () => info);
    await session.load(one, signal);
    await expect(session.load(two, signal, refuse)).rejects.toBe(refusal);
    expect(session.status()).toEqual({ state: "ready", choice: one, info });
  });
});
