import { attentionSinkReference } from "../kernels/attention/attention-sink.reference.ts";
import { kvRing, packKv, roundToKv } from "../kernels/attention/kv-cache.reference.ts";
import type { KvFormat } from "../kernels/attention/kv-cache.ts";
import { expectClose } from "./compare.ts";
import { randomNormal, toBf16 } from "./data.ts";

/** One case of attention's table. */
export interface AttentionCase {
  readonly name: string;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly window: number;
  readonly capacity: number;
  /** Of the first token; positions before it are in the cache. */
  readonly position: number;
  readonly numTokens: number;
  /** Standard deviation of the logits. Default 1. */
  readonly logitScale?: number;
  /** Added to every sink. Default 0. */
  readonly sinkShift?: number;
}

/** A case with contents: what the GPU gets, and what it must answer. */
export interface AttentionData {
  readonly q: Float32Array;
  readonly keys: Float32Array | Uint16Array;
  readonly values: Float32Array | Uint16Array;
  readonly sinks: Uint16Array;
  readonly expected: Float64Array;
}

/** Random contents for a case: a cache filled position by position (NaN where nothing was written). */
export function attentionData(given: AttentionCase, kvFormat: KvFormat): AttentionData {
  const { numHeads, numKvHeads, headDim, position, numTokens } = given;
  const rows = (position + numTokens) * numKvHeads * headDim;
  const keys = roundToKv(randomNormal(rows, 1), kvFormat);
  const values = roundToKv(randomNormal(rows, 2), kvFormat);
  const q = randomNormal(numTokens * numHeads * headDim, 3, given.logitScale ?? 1);
  const sinks = toBf16(randomNormal(numHeads, 4).map((sink) => sink + (given.sinkShift ?? 0)));
  return {
    q,
    keys: packKv(kvRing(keys, given), kvFormat),
    values: packKv(kvRing(values, given), kvFormat),
    sinks: sinks.bits,
    expected: attentionSinkReference({ q, keys, values, sinks: sinks.values, position }, given),
  };
}

/**
 * Asserts attention's output. The allowance is a share of the largest output, so that sinks that take nearly all the
 * weight leave something to compare: f32 sums and WGSL's exp (3 + 2|x| ulp) give 3e-6, and each unit of logit scale
 * adds the logits' own f32 rounding.
 */
export function expectAttention(out: ArrayBuffer, data: AttentionData, given: AttentionCase): void {
  const largest = data.expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const share = 3e-6 + 1e-6 * (given.logitScale ?? 1);
  expectClose(new Float32Array(out), data.expected, { absolute: share * largest });
}

const heads = (numHeads: number, numKvHeads: number, headDim: number) => ({ numHeads, numKvHeads, headDim });
const full = { ...heads(64, 8, 64), window: 0, capacity: 704 };
const sliding = { ...heads(64, 8, 64), window: 128, capacity: 147 };
const short = { ...heads(8, 4, 32), window: 4, capacity: 9 };
/** Groups of 3 heads of 32 dims on a full layer: cheap enough for what needs many runs. */
export const threes = { ...heads(9, 3, 32), window: 0, capacity: 704 };

/** The cases that every form of attention runs. Shapes repeat, since each costs a compilation. */
const attentionCases: readonly AttentionCase[] = [
  { name: "the first token", ...full, position: 0, numTokens: 1 },
  { name: "one step", ...full, position: 31, numTokens: 1 },
  { name: "one key more than a tile", ...full, position: 64, numTokens: 1 },
  { name: "several tokens", ...full, position: 20, numTokens: 3 },
  { name: "depth 700, several splits", ...full, position: 700, numTokens: 2 },
  { name: "window 128, the first token", ...sliding, position: 0, numTokens: 1 },
  { name: "window 128, wrapped", ...sliding, position: 300, numTokens: 20 },
  {
    name: "window 128, ring of 128",
    ...heads(4, 2, 32),
    window: 128,
    capacity: 128,
    position: 700,
    numTokens: 1,
  },
  { name: "window 4, filling up", ...short, position: 0, numTokens: 6 },
  { name: "window 4, wrapped often", ...short, position: 97, numTokens: 6 },
  { name: "window 1", ...heads(2, 1, 8), window: 1, capacity: 5, position: 12, numTokens: 5 },
  { name: "window 1, ring of one", ...heads(2, 1, 8), window: 1, capacity: 1, position: 12, numTokens: 1 },
  {
    name: "no grouping, head dim 40",
    ...heads(3, 3, 40),
    window: 0,
    capacity: 80,
    position: 70,
    numTokens: 4,
  },
  { name: "groups of 5", ...heads(10, 2, 32), window: 0, capacity: 80, position: 70, numTokens: 3 },
  { name: "groups of 6", ...heads(12, 2, 40), window: 0, capacity: 80, position: 70, numTokens: 3 },
  { name: "groups of 7", ...heads(7, 1, 16), window: 1, capacity: 5, position: 12, numTokens: 5 },
  { name: "groups of 10", ...heads(20, 2, 16), window: 16, capacity: 24, position: 33, numTokens: 7 },
  { name: "groups of 12", ...heads(24, 2, 32), window: 4, capacity: 9, position: 97, numTokens: 6 },
  { name: "groups of 11", ...heads(11, 1, 8), window: 16, capacity: 24, position: 33, numTokens: 7 },
  { name: "one KV head for 64", ...heads(64, 1, 8), window: 0, capacity: 80, position: 70, numTokens: 3 },
  { name: "head dim 128", ...heads(16, 2, 128), window: 0, capacity: 80, position: 70, numTokens: 4 },
  { name: "groups of 3", ...threes, position: 70, numTokens: 4 },
  { name: "large logits", ...threes, position: 70, numTokens: 4, logitScale: 60 },
  { name: "sinks that take nearly all", ...threes, position: 70, numTokens: 4, sinkShift: 40 },
  { name: "sinks that take nothing", ...threes, position: 70, numTokens: 4, sinkShift: -1e4 },
  { name: "sinks as low as bf16 goes", ...threes, position: 70, numTokens: 4, sinkShift: -3e38 },
];

/** The cases of a KV format: all in f32; in f16, which differs only in unpacking, real heads and a small ring. */
export const attentionCasesFor = (format: KvFormat): readonly AttentionCase[] =>
  attentionCases.filter(
    ({ headDim, window }) => format === "f32" || (headDim === 64 && window === 0) || window === 4,
  );
