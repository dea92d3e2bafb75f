import { describe, expect, it } from "vitest";
import type { KernelVariant } from "../../gpu/variant.ts";
import {
  type AttentionCase,
  type AttentionData,
  attentionCasesFor,
  attentionData,
  expectAttention,
  threes,
} from "../../testing/attention.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { poison, runKernel } from "../../testing/run-kernel.ts";
import {
  attentionPartialsBytes,
  attentionSinkDecode,
  attentionSinkDecodeGrid,
  type DecodeForm,
  decodeSplits,
  maxSplits,
} from "./attention-sink-decode.ts";
import { attentionSinkMerge, attentionSinkMergeGrid } from "./attention-sink-merge.ts";
import type { KvFormat } from "./kv-cache.ts";

type StepInput = ArrayBuffer | { position: number; numTokens: number };

interface DecodeSetting {
  readonly kvFormat: KvFormat;
  readonly variant: KernelVariant;
  readonly form: DecodeForm;
  readonly splits: number;
  /** Default the case's own. */
  readonly step?: StepInput;
  readonly data?: AttentionData;
  readonly isSoftware?: boolean;
}

async function decode(given: AttentionCase, setting: DecodeSetting) {
  const { kvFormat, form, splits, data = attentionData(given, kvFormat), ...target } = setting;
  const shape = { ...given, kvFormat, form };
  const [x, , z] = attentionSinkDecodeGrid(shape, given.numTokens, form === "direct" ? 1 : 1e6);
  const { partials, out } = await runKernel(await testGpu(), {
    ...{ kernel: attentionSinkDecode, shape, step: given, ...target },
    inputs: data,
    outputs: { partials: attentionPartialsBytes(given, given.numTokens), out: data.q.byteLength },
    grid: [x, splits, z],
  });
  return { data, partials, out };
}

async function merge(given: AttentionCase, { data, partials }: Awaited<ReturnType<typeof decode>>) {
  const { out } = await runKernel(await testGpu(), {
    kernel: attentionSinkMerge,
    shape: given,
    variant: "workgroup",
    step: given,
    inputs: { partials: new Uint8Array(partials), sinks: data.sinks },
    outputs: { out: data.q.byteLength },
    grid: attentionSinkMergeGrid(given, given.numTokens, Number.POSITIVE_INFINITY),
  });
  return out;
}

const depth: AttentionCase = { name: "depth 700", ...threes, position: 700, numTokens: 2 };
/** A decode step has few tokens, and each takes a workgroup a head here. */
const cases = (kvFormat: KvFormat) =>
  attentionCasesFor(kvFormat).map((given) => ({ ...given, numTokens: Math.min(given.numTokens, 4) }));
const untouched = new Set([poison]);

describe.each(["subgroups", "workgroup"] as const)("attention-sink-decode and -merge (%s)", (variant) => {
  // What unpacks f16 is the same in both variants.
  describe.each(variant === "subgroups" ? (["f32", "f16"] as const) : (["f32"] as const))(
    "KV %s",
    (kvFormat) => {
      const setting = { kvFormat, variant };

      it.each(cases(kvFormat))("match the float64 reference: $name", async (given) => {
        const data = attentionData(given, kvFormat);
        const alone = await decode(given, { ...setting, form: "direct", splits: 1, data });
        expectAttention(alone.out, data, given);
        expect(new Set(new Uint32Array(alone.partials))).toEqual(untouched);
        const shares = await decode(given, { ...setting, form: "split", splits: 3, data });
        expectAttention(await merge(given, shares), data, given);
        expect(new Set(new Uint32Array(shares.out))).toEqual(untouched);
      });
    },
  );

  it.each([2, 5, 11, 12, 32])("agree for every number of splits: %i", async (splits) => {
    const decoded = await decode(depth, { kvFormat: "f32", variant, form: "split", splits });
    expectAttention(await merge(depth, decoded), decoded.data, depth);
  });

  it("agree in a CPU adapter's workgroups", async () => {
    const setting = { kvFormat: "f32", variant, isSoftware: true } as const;
    const alone = await decode(depth, { ...setting, form: "direct", splits: 1 });
    expectAttention(alone.out, alone.data, depth);
    const decoded = await decode(depth, { ...setting, form: "split", splits: 5 });
    expectAttention(await merge(depth, decoded), decoded.data, depth);
  });

  it("leaves tokens beyond num_tokens and splits without keys alone, and everything once stopped", async () => {
    const given: AttentionCase = { ...depth, position: 3 };
    const setting = { kvFormat: "f32", variant, form: "split", splits: 9 } as const;
    const recordWords = 4 + given.headDim;
    const tokenWords = given.numHeads * maxSplits * recordWords;
    const { partials } = await decode(given, { ...setting, step: { position: 3, numTokens: 1 } });
    const words = new Uint32Array(partials);
    expect(new Set(words.slice(tokenWords))).toEqual(untouched);
    expect(new Set(words.slice(4 * recordWords, maxSplits * recordWords))).toEqual(untouched);
    expect(words.slice(0, 4 * recordWords)).not.toContain(poison);
    const alone = { ...setting, form: "direct", splits: 1, step: { position: 3, numTokens: 1 } } as const;
    const { out } = await decode(given, alone);
    const outWords = given.numHeads * given.headDim;
    expect(new Set(new Uint32Array(out).slice(outWords))).toEqual(untouched);
    expect(new Uint32Array(out).slice(0, outWords)).not.toContain(poison);
    const step = new Uint32Array([3, 2, 1, 0, 0, 0, 0, 0]).buffer;
    for (const stopped of [
      await decode(given, { ...setting, step }),
      await decode(given, { ...alone, step }),
    ])
      expect(new Set([...new Uint32Array(stopped.partials), ...new Uint32Array(stopped.out)])).toEqual(
        untouched,
      );
  });
});

describe("decodeSplits", () => {
  it("gives one workgroup to 256 keys, then one to 64, and at most 32", () => {
    expect([0, 1, 256, 257, 320, 321, 2048, 2049, 131072].map(decodeSplits)).toEqual([
      1, 1, 1, 5, 5, 6, 32, 32, 32,
    ]);
  });
});

describe("the grids of decode and merge", () => {
  const shape = { numHeads: 64, numKvHeads: 8, headDim: 64 };
  const runs = (maxKeys: number) => [
    attentionSinkDecodeGrid({ ...shape, form: "direct" }, 1, maxKeys),
    attentionSinkDecodeGrid({ ...shape, form: "split" }, 1, maxKeys),
    attentionSinkMergeGrid(shape, 1, maxKeys),
  ];

  it("leave out the form that is not the one for so many keys", () => {
    expect(runs(256)).toEqual([
      [64, 1, 1],
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(runs(257)).toEqual([
      [0, 0, 0],
      [16, 5, 1],
      [64, 1, 1],
    ]);
  });
});
