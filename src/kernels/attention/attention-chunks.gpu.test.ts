import { describe, expect, it } from "vitest";
import { expectClose } from "../../testing/compare.ts";
import { randomBf16, randomNormal } from "../../testing/data.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { testRope } from "../../testing/kv-cache.ts";
import { runKernel } from "../../testing/run-kernel.ts";
import type { AttentionShape } from "./attention-shape.ts";
import { attentionSinkReference } from "./attention-sink.reference.ts";
import {
  attentionPartialsBytes,
  attentionSinkDecode,
  attentionSinkDecodeGrid,
  decodeForm,
} from "./attention-sink-decode.ts";
import { attentionSinkMerge, attentionSinkMergeGrid } from "./attention-sink-merge.ts";
import { attentionSinkPrefill, attentionSinkPrefillGrid } from "./attention-sink-prefill.ts";
import { kvCacheBytes, kvCapacity } from "./kv-cache.ts";
import { ropeKvWriteReference } from "./rope-kv-write.reference.ts";
import { ropeKvWrite, ropeKvWriteGrid } from "./rope-kv-write.ts";

const heads = { numHeads: 4, numKvHeads: 2, headDim: 32 };
const rowLength = (heads.numHeads + 2 * heads.numKvHeads) * heads.headDim;
const promptLength = 400;
const chunkLength = 96;
const numPositions = promptLength + 3;

const qkv = randomNormal(numPositions * rowLength, 1);
const rope = testRope(heads.headDim, numPositions);
const sinks = randomBf16(heads.numHeads, 2);

interface Cache {
  keys: Uint8Array;
  values: Uint8Array;
}

/** Runs the tokens at `position` and after through the cache, as a chunk or as a decode step. Returns [T, Q*D]. */
async function pass(shape: AttentionShape, cache: Cache, position: number, numTokens: number) {
  const gpu = await testGpu();
  const common = { shape, variant: "workgroup", step: { position, numTokens } } as const;
  const outBytes = numTokens * heads.numHeads * heads.headDim * 4;
  const { q, keys, values } = await runKernel(gpu, {
    ...common,
    kernel: ropeKvWrite,
    inputs: { ...cache, qkv: qkv.subarray(position * rowLength, (position + numTokens) * rowLength), rope },
    outputs: { q: outBytes },
    grid: ropeKvWriteGrid(shape, numTokens),
  });
  cache.keys = new Uint8Array(keys);
  cache.values = new Uint8Array(values);
  const inputs = { ...cache, q: new Uint8Array(q), sinks: sinks.bits };
  if (numTokens > 1) {
    const grid = attentionSinkPrefillGrid(shape, numTokens);
    return runKernel(gpu, {
      ...common,
      kernel: attentionSinkPrefill,
      inputs,
      outputs: { out: outBytes },
      grid,
    });
  }
  const maxKeys = shape.window === 0 ? position + 1 : Math.min(shape.window, position + 1);
  const form = decodeForm(maxKeys);
  const { partials, out } = await runKernel(gpu, {
    ...common,
    kernel: attentionSinkDecode,
    shape: { ...shape, form },
    inputs,
    outputs: { partials: attentionPartialsBytes(shape, 1), out: outBytes },
    grid: attentionSinkDecodeGrid({ ...shape, form }, 1, maxKeys),
  });
  if (form === "direct") return { out };
  return runKernel(gpu, {
    ...common,
    kernel: attentionSinkMerge,
    inputs: { partials: new Uint8Array(partials), sinks: sinks.bits },
    outputs: { out: outBytes },
    grid: attentionSinkMergeGrid(shape, 1, maxKeys),
  });
}

describe.each([0, 1, 4, 128])("a prompt in chunks, then decode steps (window %i)", (window) => {
  it("matches attention over the whole sequence", async () => {
    const capacity = kvCapacity(window, chunkLength, numPositions);
    const shape: AttentionShape = { ...heads, window, capacity, kvFormat: "f32" };
    const bytes = kvCacheBytes(shape);
    const cache = { keys: new Uint8Array(bytes).fill(0xff), values: new Uint8Array(bytes).fill(0xff) };
    const got: number[] = [];
    for (let position = 0; position < numPositions; ) {
      const numTokens = position < promptLength ? Math.min(chunkLength, promptLength - position) : 1;
      const { out } = await pass(shape, cache, position, numTokens);
      got.push(...new Float32Array(out));
      position += numTokens;
    }
    const { q, k, v } = ropeKvWriteReference(qkv, rope, 0, heads);
    const expected = attentionSinkReference(
      { q, keys: k, values: v, sinks: sinks.values, position: 0 },
      { ...heads, window },
    );
    expect(capacity).toBe(window === 0 ? numPositions : window + chunkLength - 1);
    // f32 rotation, dot products and softmax; outputs are about 1.
    expectClose(got, expected, { absolute: 6e-6 });
  });
});
