import { expect, it } from "vitest";
import { createSyntheticFiles, syntheticConfig } from "../bench/synthetic-files.ts";
import { openCountedGpu } from "../testing/counted-gpu.ts";
import { fixture } from "../testing/engine.ts";
import { readManifest } from "../weights/manifest.ts";
import { createEngine } from "./engine.ts";

/** The same adapter, offering no more than every adapter must. */
function withDefaultLimits(gpu: GPU): GPU {
  const limits = new Map<string | symbol, number>([
    ["maxBufferSize", 256 * 1024 * 1024],
    ["maxStorageBufferBindingSize", 128 * 1024 * 1024],
  ]);
  return {
    async requestAdapter(options?: GPURequestAdapterOptions) {
      const adapter = await gpu.requestAdapter(options);
      if (adapter === null) return null;
      const offered = adapter.limits;
      const modest = new Proxy(offered, {
        get: (_, name) => limits.get(name) ?? offered[name as keyof GPUSupportedLimits],
      });
      Object.defineProperty(adapter, "limits", { value: modest });
      return adapter;
    },
  } as unknown as GPU;
}

it("tells from the description alone that this adapter cannot hold a model, and holds one that fits", async () => {
  const counted = await openCountedGpu();
  const engine = await createEngine(withDefaultLimits(counted.gpu));
  const code = (expected: string) => expect.objectContaining({ name: "EngineError", code: expected });
  const large = await readManifest(createSyntheticFiles(syntheticConfig("20b"), "20b"));
  expect(() => engine.checkFits(large)).toThrow(
    expect.objectContaining({
      code: "limit-exceeded",
      details: { buffer: "embedding", neededBytes: 201088 * 2880 * 2, limitBytes: 128 * 1024 * 1024 },
    }),
  );
  expect(() => engine.checkFits(large, { contextLength: 2 ** 30 })).toThrow(code("request-invalid"));
  const { files } = fixture("tiny-bf16-experts", 0);
  const small = await readManifest(files);
  expect(() => engine.checkFits(small, { contextLength: 64 })).not.toThrow();
  expect(counted.madeBuffers()).toBe(0);
  await engine.load(files, { contextLength: 64 });
  expect(counted.liveBuffers()).toBeGreaterThan(40);
  engine.dispose();
  expect(() => engine.checkFits(small)).toThrow(code("disposed"));
});
