import { describe, expect, it } from "vitest";
import { openDawn } from "../desktop/dawn.ts";
import { testGpu } from "../testing/gpu-device.ts";
import { createBufferSet, flushWrites, readBuffer } from "./buffers.ts";
import { openGpu } from "./gpu.ts";

describe("buffer set", () => {
  it("refuses at once what is larger than the adapter binds", async () => {
    const gpu = await testGpu();
    const set = createBufferSet(gpu);
    const limitBytes = gpu.device.limits.maxStorageBufferBindingSize;
    expect(() => set.storage("embedding", limitBytes + 4)).toThrow(
      expect.objectContaining({
        code: "limit-exceeded",
        message: expect.stringContaining("embedding"),
        details: { buffer: "embedding", neededBytes: limitBytes + 4, limitBytes },
      }),
    );
    expect(set.totalBytes).toBe(0);
    await set.settled();
  });

  it("rounds up to what copies and bindings need, and zeroes", async () => {
    const gpu = await testGpu();
    const set = createBufferSet(gpu);
    expect(set.storage("odd", 10).size).toBe(12);
    expect(set.storage("nothing", 0).size).toBe(4);
    expect(set.uniform("step", 20).size).toBe(32);
    expect(set.readback("token", 16).size).toBe(16);
    expect(set.totalBytes).toBe(12 + 4 + 32 + 16);
    expect(new Uint8Array(await readBuffer(gpu, set.storage("fresh", 8)))).toEqual(new Uint8Array(8));
    await set.settled();
    set.destroy();
  });

  it("destroys its buffers once, however often it is asked", async () => {
    const set = createBufferSet(await testGpu());
    let destroyed = 0;
    const buffer = set.storage("weights", 64);
    const original = buffer.destroy.bind(buffer);
    buffer.destroy = () => {
      destroyed += 1;
      return original();
    };
    set.destroy();
    set.destroy();
    expect([destroyed, set.totalBytes]).toEqual([1, 0]);
    await set.settled();
  });

  it("reads back a part", async () => {
    const gpu = await testGpu();
    const set = createBufferSet(gpu);
    const buffer = set.storage("numbers", 16);
    gpu.device.queue.writeBuffer(buffer, 0, Uint32Array.of(1, 2, 3, 4));
    await flushWrites(gpu);
    expect([...new Uint32Array(await readBuffer(gpu, buffer, 4, 8))]).toEqual([2, 3]);
    set.destroy();
  });
});

it("tells of memory that the GPU does not have, and of nothing else", async () => {
  const gpu = await openGpu(await openDawn(process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader"));
  const uncaptured: string[] = [];
  gpu.device.addEventListener("uncapturederror", (event) =>
    uncaptured.push((event as GPUUncapturedErrorEvent).error.message),
  );
  const set = createBufferSet(gpu);
  const sizeBytes = gpu.device.limits.maxStorageBufferBindingSize;
  for (let i = 0; i < 4096; i += 1) set.storage(`piece ${i}`, sizeBytes);
  await expect(set.settled()).rejects.toMatchObject({
    code: "out-of-memory",
    details: { neededBytes: sizeBytes, buffer: expect.stringMatching(/^piece \d+$/) },
  });
  set.destroy();
  await set.settled();
  expect(uncaptured).toEqual([]);
  // There is room again.
  const after = createBufferSet(gpu);
  after.storage("small", 1024);
  await after.settled();
  gpu.destroy();
});

it("reports a device that goes away while it reads", async () => {
  const gpu = await openGpu(await openDawn(process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader"));
  const set = createBufferSet(gpu);
  const buffer = set.storage("numbers", 16);
  const reading = readBuffer(gpu, buffer);
  gpu.destroy();
  await expect(reading).rejects.toMatchObject({ code: "device-lost" });
});
