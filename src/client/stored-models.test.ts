import { afterEach, describe, expect, test } from "vitest";
import { EngineError } from "../errors.ts";
import type { Engine } from "../runtime/types.ts";
import { failure } from "../testing/failure.ts";
import {
  aborted,
  createFakeEngine,
  fakeInfo,
  fakeServices,
  fakeStoredModels,
} from "../testing/fake-engine.ts";
import { createFakeWorker } from "../testing/fake-worker.ts";
import { takenOver } from "../worker/model-locks.ts";
import type { HostServices } from "../worker/services.ts";
import { createWorkerEngine, type WorkerEngine, type WorkerEngineOptions } from "./worker-engine.ts";

const source = { baseUrl: "https://models.test/tiny/" };
const engines: WorkerEngine[] = [];

afterEach(() => {
  for (const engine of engines.splice(0)) engine.dispose();
});

function start(
  engine: Partial<Engine> = {},
  services: Partial<HostServices> = {},
  options: WorkerEngineOptions = {},
): { engine: WorkerEngine } {
  const fake = createFakeWorker(fakeServices(createFakeEngine(engine), services));
  const made = createWorkerEngine({ ...options, worker: fake.worker });
  engines.push(made);
  return { engine: made };
}

describe("models of a worker engine", () => {
  test("a download is held up, goes on, and can be cancelled together with what it stored", async () => {
    const seen: string[] = [];
    const removed: string[] = [];
    const { engine } = start(
      {},
      {
        openModel: async (wanted, { pause, signal, onLead }) => {
          onLead?.("tiny");
          pause.watch((isPaused) => seen.push(isPaused ? "paused" : "resumed"));
          await aborted(signal);
          throw new EngineError("aborted", `The download of ${JSON.stringify(wanted)} was aborted.`);
        },
        stored: fakeStoredModels({ removePartial: async (id) => void removed.push(id) }),
      },
    );
    await engine.pauseDownload(); // there is none yet
    const first = failure(engine.download(source));
    await engine.pauseDownload();
    await engine.resumeDownload();
    expect(seen).toEqual(["paused", "resumed"]);
    await engine.cancelDownload();
    expect((await first).code).toBe("aborted");
    expect(removed).toEqual([]);
    const second = failure(engine.load(source));
    await engine.pauseDownload();
    await engine.cancelDownload({ deletePartial: true });
    expect((await second).code).toBe("aborted");
    expect(removed).toEqual(["tiny"]);
  });

  test("a download without a load gives the stored model's summary, and frees it for other tabs", async () => {
    const summary = {
      ...{ id: "m", totalBytes: 10, storedBytes: 10, ready: true, store: "opfs" as const, files: [] },
      source: { baseUrl: "x" },
    };
    let released = 0;
    const { engine } = start(
      {},
      {
        openModel: async (wanted, options) => {
          expect(options).toMatchObject({ forEngine: false, store: "opfs", connections: 2 });
          const opened = await fakeServices(createFakeEngine()).openModel({ ...wanted, id: "m" }, options);
          return { ...opened, release: async () => void released++ };
        },
        stored: fakeStoredModels({ list: async () => [summary] }),
      },
    );
    const progress: number[] = [];
    const options = {
      store: "opfs",
      connections: 2,
      onProgress: (p: { loadedBytes: number }) => void progress.push(p.loadedBytes),
    } as const;
    expect(await engine.download(source, options)).toEqual(summary);
    expect(progress).toEqual([50, 100]);
    expect(released).toBe(1);
    expect(engine.info).toBeUndefined();
  });

  test("a model that another tab takes over is gone here, and the page is told", async () => {
    const faults: EngineError[] = [];
    let takeOver = () => {};
    let released = 0;
    const { engine } = start(
      {},
      {
        openModel: async (wanted, options) => {
          takeOver = () => options.onLost(takenOver("tiny"));
          const opened = await fakeServices(createFakeEngine()).openModel(wanted, options);
          return { ...opened, release: async () => void released++ };
        },
      },
      { onFault: (error) => void faults.push(error) },
    );
    await engine.load(source);
    takeOver();
    await expect.poll(() => faults.map(({ details }) => details.reason)).toEqual(["model-taken-over"]);
    expect(engine.info).toBeUndefined();
    expect(released).toBe(1);
    expect((await failure(engine.logits([1], "prefill"))).code).toBe("not-loaded");
  });

  test("a load that fails, an unload and the next load each give the model back to other tabs", async () => {
    const held = new Set<number>();
    let numLoads = 0;
    let isBroken = true;
    const { engine } = start(
      {
        load: async () => {
          if (isBroken) throw new EngineError("out-of-memory", "no room");
          return fakeInfo;
        },
      },
      {
        openModel: async (wanted, options) => {
          const load = numLoads++;
          held.add(load);
          const opened = await fakeServices(createFakeEngine()).openModel(wanted, options);
          return { ...opened, release: async () => void held.delete(load) };
        },
      },
    );
    expect((await failure(engine.load(source))).code).toBe("out-of-memory");
    expect([...held]).toEqual([]);
    isBroken = false;
    await engine.load(source);
    await engine.load(source);
    expect([...held]).toEqual([2]);
    await engine.unload();
    expect([...held]).toEqual([]);
  });

  test("work on stored models shows progress, stops at a signal, and is refused beside a request", async () => {
    const { engine } = start(
      {},
      {
        stored: fakeStoredModels({
          verify: async (id, { onProgress, signal }) => {
            onProgress({ phase: "verify", loadedBytes: 1, totalBytes: 2, file: id });
            await aborted(signal);
            throw new EngineError("aborted", "stopped");
          },
        }),
      },
    );
    const controller = new AbortController();
    const phases: string[] = [];
    const verifying = failure(
      engine.verifyModel("m", {
        signal: controller.signal,
        onProgress: ({ phase }) => void phases.push(phase),
      }),
    );
    expect((await failure(engine.repairModel("m"))).code).toBe("busy");
    await expect.poll(() => phases).toEqual(["verify"]);
    controller.abort();
    expect((await verifying).code).toBe("aborted");
    expect(await engine.repairModel("m")).toEqual({ id: "m", ok: true, files: [], badTexts: [] });
  });
});

describe("storage", () => {
  test("names the stores that fail, and gives the browser's figures also without a worker", async () => {
    const faults = [{ store: "opfs", message: "no answer" }] as const;
    const { engine } = start({}, { stored: fakeStoredModels({ faults: async () => faults }) });
    expect((await engine.storage()).failedStores).toEqual(faults);
    engine.dispose();
    expect(await engine.storage()).toMatchObject({ persisted: false, failedStores: [] });
  });
});
