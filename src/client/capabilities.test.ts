import { afterEach, beforeEach, expect, test } from "vitest";
import { EngineError } from "../errors.ts";
import { createFakeEngine, fakeServices } from "../testing/fake-engine.ts";
import { createFakeWorker } from "../testing/fake-worker.ts";
import type { ModelSource } from "../weights/source-types.ts";
import type { HostServices } from "../worker/services.ts";
import { createWorkerEngine, type WorkerEngine } from "./worker-engine.ts";

let engine: WorkerEngine;
let asked: ModelSource[];
const start = (services: Partial<HostServices> = {}) => {
  const base = fakeServices(createFakeEngine());
  const readManifest: HostServices["readManifest"] = (source) => {
    asked.push(source);
    return base.readManifest(source);
  };
  engine = createWorkerEngine({
    worker: createFakeWorker(fakeServices(createFakeEngine(), { readManifest, ...services })).worker,
  });
};
beforeEach(() => {
  asked = [];
});
afterEach(() => engine.dispose());

test("a published model is reported on without a request, before anything is loaded", async () => {
  start();
  const report = await engine.capabilities({ published: "120b" }, { kvFormat: "f16" });
  expect(report).toMatchObject({
    downloadBytes: 65_248_815_744,
    kvFormat: "f16",
    model: { numExperts: 128 },
  });
  expect(asked).toEqual([]);
});

test("a source is read for its shape", async () => {
  start({ storageBytes: async () => 5 });
  const source = { baseUrl: "https://models.test/tiny/" };
  const report = await engine.capabilities(source);
  expect(report).toMatchObject({
    canLoad: true,
    model: { numLayers: 1 },
    problems: [{ code: "storage-full" }],
  });
  expect(asked).toEqual([source]);
});

test("a page without WebGPU gets a report, not a failure", async () => {
  const noAdapter = new EngineError("webgpu-unavailable", "WebGPU is not available here.");
  start({ describeAdapter: () => Promise.reject(noAdapter) });
  expect(await engine.capabilities({ published: "20b" })).toMatchObject({
    canLoad: false,
    problems: [{ code: "webgpu-unavailable" }],
  });
});

test("a source that cannot be read is a failure", async () => {
  const gone = new EngineError("download-failed", "no such repository");
  start({ readManifest: () => Promise.reject(gone) });
  await expect(engine.capabilities({ hf: "org/name" })).rejects.toMatchObject({ code: "download-failed" });
});
