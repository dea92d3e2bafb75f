// Without a GPU: what timePasses does where there is nothing to time, and where the device goes away.
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Gpu } from "./gpu.ts";
import { timePasses } from "./time-passes.ts";

/** A device that takes every command and is lost before it has done any of them. */
function lostGpu() {
  const sets: number[] = [];
  const pass = { end: () => {} };
  const encoder = { beginComputePass: () => pass, resolveQuerySet: () => {}, finish: () => ({}) };
  const device = {
    limits: { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 },
    createQuerySet: ({ count }: { count: number }) => {
      sets.push(count);
      return { destroy: () => {} };
    },
    pushErrorScope: () => {},
    popErrorScope: () => Promise.resolve(null),
    createBuffer: () => ({ destroy: () => {} }),
    createCommandEncoder: () => encoder,
    queue: { submit: () => {}, onSubmittedWorkDone: () => Promise.reject(new Error("lost")) },
  };
  return { gpu: { device } as unknown as Gpu, sets };
}

afterEach(() => vi.unstubAllGlobals());

describe("timePasses", () => {
  it("makes nothing where there are no runs", async () => {
    const { gpu, sets } = lostGpu();
    expect(await timePasses(gpu, [], [])).toEqual([]);
    expect(sets).toEqual([]);
  });

  it("throws device-lost, in query sets that a device has", async () => {
    vi.stubGlobal("GPUBufferUsage", { STORAGE: 0x80, QUERY_RESOLVE: 0x200, COPY_SRC: 4 });
    const { gpu, sets } = lostGpu();
    await expect(timePasses(gpu, [], Array(5000).fill({}))).rejects.toMatchObject({ code: "device-lost" });
    expect(sets).toEqual([4096]);
  });
});
