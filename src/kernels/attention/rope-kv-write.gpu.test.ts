import { describe, expect, it } from "vitest";
import { expectClose } from "../../testing/compare.ts";
import { randomNormal } from "../../testing/data.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { expectRing, poisonedKv, testRope } from "../../testing/kv-cache.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import { type KvShape, kvCacheBytes } from "./kv-cache.ts";
import { ropeKvWriteReference } from "./rope-kv-write.reference.ts";
import { ropeKvWrite, ropeKvWriteGrid } from "./rope-kv-write.ts";

const heads = (numHeads: number, numKvHeads: number, headDim: number) => ({ numHeads, numKvHeads, headDim });
const cases = [
  {
    name: "one token of gpt-oss's heads",
    ...heads(64, 8, 64),
    capacity: 32,
    position: 0,
    numTokens: 1,
    scale: 1,
  },
  { name: "several tokens", ...heads(8, 2, 64), capacity: 32, position: 7, numTokens: 20, scale: 1 },
  { name: "head dim 32, no grouping", ...heads(3, 3, 32), capacity: 16, position: 3, numTokens: 5, scale: 1 },
  {
    name: "a pass across the ring's end",
    ...heads(4, 2, 64),
    capacity: 11,
    position: 52,
    numTokens: 6,
    scale: 1,
  },
  { name: "a ring of one slot", ...heads(2, 1, 8), capacity: 1, position: 9, numTokens: 1, scale: 1 },
  { name: "large values", ...heads(4, 2, 128), capacity: 16, position: 100, numTokens: 4, scale: 1e3 },
];

// Without reductions, so both variants are the same text.
describe.each(["f32", "f16"] as const)("rope-kv-write (KV %s)", (kvFormat) => {
  it.each(cases)("matches the float64 reference: $name", async ({ position, numTokens, scale, ...layer }) => {
    const gpu = await testGpu();
    const shape: KvShape = { ...layer, kvFormat };
    const rope = testRope(shape.headDim, position + numTokens);
    const rowLength = (shape.numHeads + 2 * shape.numKvHeads) * shape.headDim;
    const qkv = randomNormal(numTokens * rowLength, 1, scale);
    const { q, keys, values } = await runKernel(gpu, {
      kernel: ropeKvWrite,
      shape,
      variant: "workgroup",
      step: { position, numTokens },
      inputs: { qkv, rope },
      outputs: {
        q: numTokens * shape.numHeads * shape.headDim * 4,
        keys: kvCacheBytes(shape),
        values: kvCacheBytes(shape),
      },
      grid: ropeKvWriteGrid(shape, numTokens),
    });
    const want = ropeKvWriteReference(qkv, rope, position, shape);
    // Two products and a sum in f32.
    expectClose(new Float32Array(q), want.q, { absolute: 1e-6 * scale, relative: 1e-6 }, "q");
    expectRing(keys, want.k, { shape, position }, "keys");
    expectRing(values, want.v, { shape, position }, "values");
  });

  it("leaves tokens beyond num_tokens alone, and everything once stopped", async () => {
    const gpu = await testGpu();
    const shape: KvShape = { ...heads(2, 1, 64), capacity: 8, kvFormat };
    const qkv = randomNormal(2 * 4 * 64, 1);
    const rope = testRope(64, 8);
    const run = (step: ArrayBuffer | { position: number; numTokens: number }) =>
      runKernel(gpu, {
        kernel: ropeKvWrite,
        shape,
        variant: "workgroup",
        step,
        inputs: { qkv, rope },
        outputs: { q: 2 * 2 * 64 * 4, keys: kvCacheBytes(shape), values: kvCacheBytes(shape) },
        grid: ropeKvWriteGrid(shape, 2),
      });
    const partial = await run({ position: 5, numTokens: 1 });
    expect([...new Uint32Array(partial.q).slice(128)]).toEqual(Array(128).fill(poison));
    expectRing(
      partial.keys,
      ropeKvWriteReference(qkv.slice(0, 256), rope, 5, shape).k,
      { shape, position: 5 },
      "keys",
    );
    const stopped = await run(new Uint32Array([5, 2, 1, 0, 0, 0, 0, 0]).buffer);
    expect([...new Uint32Array(stopped.q)]).toEqual(Array(256).fill(poison));
    expect(new Uint8Array(stopped.keys)).toEqual(poisonedKv(shape));
    expect(new Uint8Array(stopped.values)).toEqual(poisonedKv(shape));
  });
});

it("saturates f16 instead of overflowing", async () => {
  const gpu = await testGpu();
  const shape: KvShape = { ...heads(1, 1, 8), capacity: 1, kvFormat: "f16" };
  const qkv = new Float32Array(24).fill(1e6);
  const { values } = await runKernel(gpu, {
    kernel: ropeKvWrite,
    shape,
    variant: "workgroup",
    step: { position: 0, numTokens: 1 },
    inputs: { qkv, rope: testRope(8, 1) },
    outputs: { q: 32, keys: kvCacheBytes(shape), values: kvCacheBytes(shape) },
    grid: ropeKvWriteGrid(shape, 1),
  });
  expect([...new Uint16Array(values)]).toEqual(Array(8).fill(0x7bff));
});
