import type { Gpu } from "../../gpu/gpu.ts";
import {
  type AttentionCase,
  type AttentionData,
  attentionData,
  expectAttention,
} from "../../testing/attention.ts";
import { expectClose } from "../../testing/compare.ts";
import { randomNormal } from "../../testing/data.ts";
import { expectRing, testRope } from "../../testing/kv-cache.ts";
import { runKernel } from "../../testing/run-kernel.ts";
import type { SelfTest, SelfTestTarget } from "../self-test.ts";
import {
  attentionPartialsBytes,
  attentionSinkDecode,
  attentionSinkDecodeGrid,
} from "./attention-sink-decode.ts";
import { attentionSinkMerge, attentionSinkMergeGrid } from "./attention-sink-merge.ts";
import { attentionSinkPrefill, attentionSinkPrefillGrid } from "./attention-sink-prefill.ts";
import { kvCacheBytes } from "./kv-cache.ts";
import { ropeKvWriteReference } from "./rope-kv-write.reference.ts";
import { ropeKvWrite, ropeKvWriteGrid } from "./rope-kv-write.ts";

const heads = { numHeads: 16, numKvHeads: 2, headDim: 64 };
/** More keys than one workgroup takes alone. */
const many = 1000;
const sliding: AttentionCase = {
  ...heads,
  ...{ name: "sliding", window: 128, capacity: 147, position: 300, numTokens: 20 },
};
const full: AttentionCase = {
  ...heads,
  ...{ name: "full", window: 0, capacity: 304, position: 300, numTokens: 1 },
};

/** Each form of decoding, the second with the merge: shares mean nothing alone. */
async function decode(gpu: Gpu, given: AttentionCase, target: SelfTestTarget) {
  await decodeAlone(gpu, given, target);
  await decodeInShares(gpu, given, target);
}

async function decodeAlone(
  gpu: Gpu,
  given: AttentionCase,
  { kvFormat, variant, isSoftware }: SelfTestTarget,
) {
  const data = attentionData(given, kvFormat);
  const shape = { ...given, kvFormat, form: "direct" } as const;
  const { out } = await runKernel(gpu, {
    ...{ kernel: attentionSinkDecode, shape, variant, isSoftware, step: given },
    inputs: data,
    outputs: { partials: attentionPartialsBytes(given, given.numTokens), out: data.q.byteLength },
    grid: attentionSinkDecodeGrid(shape, given.numTokens, 1),
  });
  expectAttention(out, data, given);
}

async function decodeInShares(gpu: Gpu, given: AttentionCase, target: SelfTestTarget) {
  const { kvFormat, variant, isSoftware } = target;
  const data = attentionData(given, kvFormat);
  const shape = { ...given, kvFormat, form: "split" } as const;
  const { partials } = await runKernel(gpu, {
    ...{ kernel: attentionSinkDecode, shape, variant, isSoftware, step: given },
    inputs: data,
    outputs: { partials: attentionPartialsBytes(given, given.numTokens), out: data.q.byteLength },
    grid: attentionSinkDecodeGrid(shape, given.numTokens, many),
  });
  const { out } = await runKernel(gpu, {
    ...{ kernel: attentionSinkMerge, shape: given, variant, isSoftware, step: given },
    inputs: { partials: new Uint8Array(partials), sinks: data.sinks },
    outputs: { out: data.q.byteLength },
    grid: attentionSinkMergeGrid(given, given.numTokens, many),
  });
  expectAttention(out, data, given);
}

async function prefill(gpu: Gpu, given: AttentionCase, { kvFormat, variant, isSoftware }: SelfTestTarget) {
  const data: AttentionData = attentionData(given, kvFormat);
  const { out } = await runKernel(gpu, {
    ...{ kernel: attentionSinkPrefill, shape: { ...given, kvFormat }, variant, isSoftware, step: given },
    inputs: data,
    outputs: { out: data.q.byteLength },
    grid: attentionSinkPrefillGrid(given, given.numTokens),
  });
  expectAttention(out, data, given);
}

async function writeKv(gpu: Gpu, { kvFormat, variant, isSoftware }: SelfTestTarget) {
  const shape = { ...heads, capacity: 11, kvFormat };
  const step = { position: 52, numTokens: 6 };
  const rope = testRope(shape.headDim, step.position + step.numTokens);
  const qkv = randomNormal(step.numTokens * (heads.numHeads + 2 * heads.numKvHeads) * heads.headDim, 1);
  const cacheBytes = kvCacheBytes(shape);
  const { q, keys, values } = await runKernel(gpu, {
    ...{ kernel: ropeKvWrite, shape, variant, isSoftware, step },
    inputs: { qkv, rope },
    outputs: {
      q: step.numTokens * heads.numHeads * heads.headDim * 4,
      ...{ keys: cacheBytes, values: cacheBytes },
    },
    grid: ropeKvWriteGrid(shape, step.numTokens),
  });
  const want = ropeKvWriteReference(qkv, rope, step.position, shape);
  // Two products and a sum in f32.
  expectClose(new Float32Array(q), want.q, { absolute: 1e-6, relative: 1e-6 }, "q");
  expectRing(keys, want.k, { shape, position: step.position }, "keys");
  expectRing(values, want.v, { shape, position: step.position }, "values");
}

export const attentionSelfTests: readonly SelfTest[] = [
  { kernel: attentionSinkDecode.id, run: (gpu, target) => decode(gpu, full, target) },
  {
    kernel: attentionSinkMerge.id,
    run: (gpu, target) => decodeInShares(gpu, { ...sliding, numTokens: 1 }, target),
  },
  { kernel: attentionSinkPrefill.id, run: (gpu, target) => prefill(gpu, sliding, target) },
  { kernel: ropeKvWrite.id, run: writeKv },
];
