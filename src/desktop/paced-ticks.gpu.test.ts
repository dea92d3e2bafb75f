// Dawn itself: how often it looks at the GPU while something is waited for.
import { expect, it } from "vitest";
import { testGpu } from "../testing/gpu-device.ts";

/** A fast GPU may be through with one before Dawn looks for the first time. */
const rounds = 4;

it("Dawn looks at the GPU at most every 0.2 ms while it waits", async () => {
  const { device } = await testGpu();
  const module = device.createShaderModule({
    code: `@group(0) @binding(0) var<storage, read_write> sums: array<f32>;
      @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
        var sum = f32(id.x);
        for (var i = 0u; i < 50000u; i++) { sum = sum * 1.0001 + 0.5; }
        sums[id.x] = sum;
      }`,
  });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const sums = device.createBuffer({ size: 64 * 64 * 4, usage: STORAGE | COPY_SRC });
  const read = device.createBuffer({ size: 16, usage: MAP_READ | COPY_DST });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: sums } }],
  });
  const paced = globalThis.setImmediate;
  let looks = 0;
  const counting = (callback: () => void, ...args: []) => {
    looks += 1;
    return paced(callback, ...args);
  };
  globalThis.setImmediate = counting as typeof setImmediate;
  try {
    const started = performance.now();
    for (let round = 0; round < rounds; round += 1) {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(64);
      pass.end();
      encoder.copyBufferToBuffer(sums, 0, read, 0, 16);
      device.queue.submit([encoder.finish()]);
      await read.mapAsync(GPUMapMode.READ);
      read.unmap();
    }
    const milliseconds = performance.now() - started;
    expect(looks).toBeGreaterThan(0);
    expect(looks).toBeLessThanOrEqual(milliseconds / 0.2 + 2);
  } finally {
    globalThis.setImmediate = paced;
    sums.destroy();
    read.destroy();
  }
});
