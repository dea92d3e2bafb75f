import type { Mxfp4Form } from "../../gpu/kernel.ts";
import { randomBf16, randomBytes, randomNormal, seededRandom } from "../../testing/data.ts";
import type { ActivationFormat } from "../activation-format.ts";
import { tuningOf } from "../tuning.ts";
import type { ExpertValues } from "./moe.reference.ts";
import { moeGroupReference } from "./moe-group.reference.ts";
import type { MoeShape } from "./moe-shape.ts";
import { moeTileLimit } from "./moe-tile.ts";
import { decodeMxfp4Reference } from "./mxfp4.reference.ts";

/** A layer's sizes and a routing: what the vec and the tile kernels are both tested on. Test data, imported by tests alone. */
export interface MoeCase {
  readonly name: string;
  readonly hiddenSize: number;
  readonly expertWidth: number;
  readonly numExperts: number;
  readonly expertsPerToken: number;
  readonly numTokens: number;
  /** Only these experts get tokens; default all. */
  readonly usedExperts?: readonly number[];
  /** Tested with bf16 weights and with both ways to expand MXFP4. Default no. */
  readonly bothFormats?: boolean;
  /** Size of the residual. Default 1. */
  readonly scale?: number;
}

const c = (name: string, sizes: readonly [number, number, number, number, number], more = {}): MoeCase => {
  const [hiddenSize, expertWidth, numExperts, expertsPerToken, numTokens] = sizes;
  return { name, hiddenSize, expertWidth, numExperts, expertsPerToken, numTokens, ...more };
};

/**
 * Cases of every form of both projections; sizes are H, F, E, A, T. Compiling is most of a test's time on a software
 * adapter, so cases share sizes where they can.
 */
const sharedCases: readonly MoeCase[] = [
  c("one token", [96, 96, 5, 2, 1]),
  c("rows of three scales, which start inside words", [96, 96, 5, 2, 3], { bothFormats: true }),
  c("the first and the last expert without a token", [96, 96, 5, 2, 17], { usedExperts: [1, 2, 3] }),
  c("every token on the last expert", [64, 32, 5, 1, 65], { usedExperts: [4] }),
  c("128 experts, most without a token", [32, 32, 128, 4, 9]),
];

/** Real widths are cases of the projection that reads them: few rows keep them quick. */
export const gateUpCases: readonly MoeCase[] = [
  ...sharedCases,
  c("the real width", [2880, 32, 5, 4, 2], { bothFormats: true }),
  c("a residual as large as 120b's last layers", [2880, 32, 5, 4, 2], { scale: 3e4 }),
  c("wider than any real one", [5760, 32, 5, 1, 2]),
];

export const downCases: readonly MoeCase[] = [
  ...sharedCases,
  c("the real width", [32, 2880, 5, 4, 2], { bothFormats: true }),
  c("a residual as large as 120b's last layers", [32, 2880, 5, 4, 2], { scale: 3e4 }),
  c("wider than any real one", [32, 5760, 5, 1, 2]),
];

/** What only the tile form meets. */
export const promptCases: readonly MoeCase[] = [
  c("33 tokens of 16 experts", [64, 32, 16, 4, 33]),
  c("a prompt of 400 tokens", [32, 32, 128, 4, 400]),
];

/** Routings alone: no weights are made for these. */
export const routingCases: readonly MoeCase[] = [
  ...sharedCases,
  ...promptCases,
  c("the largest chunk of the 20b model", [32, 32, 32, 4, 1024]),
  c("the largest chunk, on one expert", [32, 32, 5, 1, 1024], { usedExperts: [3] }),
  c("as many experts and choices as fit", [32, 32, 256, 8, 1024]),
  c("a single expert", [32, 32, 1, 1, 70]),
];

/**
 * Rows of a test table: every case with MXFP4; some expanded the other way too, and with bf16, which share all but the
 * reading of weights.
 */
export const withFormats = (cases: readonly MoeCase[]) => {
  const rows = (format: MoeShape["expertFormat"], form: Mxfp4Form, some: readonly MoeCase[]) =>
    some.map((moeCase) => ({ format, form, name: moeCase.name, moeCase }));
  const both = cases.filter(({ bothFormats }) => bothFormats === true);
  return [...rows("mxfp4", "bits", cases), ...rows("mxfp4", "half", both), ...rows("bf16", "bits", both)];
};

/** Rows of a test table of the vec kernels: those of `withFormats`, and every case with int8 activations. */
export const vecRows = (cases: readonly MoeCase[]) => [
  ...withFormats(cases).map((row) => ({ ...row, activations: "f32" as ActivationFormat })),
  ...withFormats(cases)
    .filter(({ format, form }) => format === "mxfp4" && form === "bits")
    .map((row) => ({ ...row, activations: "int8" as ActivationFormat })),
];

export const moeShape = (moeCase: MoeCase, expertFormat: MoeShape["expertFormat"]): MoeShape => ({
  hiddenSize: moeCase.hiddenSize,
  expertWidth: moeCase.expertWidth,
  numExperts: moeCase.numExperts,
  expertsPerToken: moeCase.expertsPerToken,
  expertFormat,
  eps: 1e-5,
  swigluLimit: 7,
});

/** ids [T, A], each token's distinct; weights [T, A], summing to one a token. */
export function randomRouting(moeCase: MoeCase, seed: number): { ids: Uint32Array; weights: Float32Array } {
  const { numExperts, expertsPerToken, numTokens } = moeCase;
  const pool = moeCase.usedExperts ?? Array.from({ length: numExperts }, (_, e) => e);
  const random = seededRandom(seed);
  const ids: number[] = [];
  const weights: number[] = [];
  for (let t = 0; t < numTokens; t += 1) {
    const order = pool.map((e) => [random(), e] as const).sort((a, b) => a[0] - b[0]);
    const shares = order.slice(0, expertsPerToken).map(([share]) => share + 0.1);
    const total = shares.reduce((sum, share) => sum + share, 0);
    ids.push(...order.slice(0, expertsPerToken).map(([, e]) => e));
    weights.push(...shares.map((share) => share / total));
  }
  return { ids: Uint32Array.from(ids), weights: Float32Array.from(weights) };
}

/** Router logits [T, E] that choose among the experts in use. */
export function randomLogits(moeCase: MoeCase, seed: number): Float32Array {
  const { numExperts, numTokens, usedExperts } = moeCase;
  return randomNormal(numTokens * numExperts, seed).map((logit, i) =>
    usedExperts === undefined || usedExperts.includes(i % numExperts) ? logit : -1e30,
  );
}

/** Choices and weights [T, A] as moe-gate-up-swiglu-vec hands them on. */
export function packRoutes(ids: Uint32Array, weights: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(2 * ids.length);
  const floats = new Float32Array(words.buffer);
  ids.forEach((id, entry) => {
    words[2 * entry] = id;
    floats[2 * entry + 1] = weights[entry] ?? Number.NaN;
  });
  return words;
}

/** The choices and weights of `packRoutes`. */
export function unpackRoutes(routes: ArrayBuffer): { ids: Uint32Array; weights: Float32Array } {
  return {
    ids: new Uint32Array(routes).filter((_, i) => i % 2 === 0),
    weights: new Float32Array(routes).filter((_, i) => i % 2 === 1),
  };
}

/** A projection as the GPU stores it and as the reference reads it. */
export interface TestExperts extends ExpertValues {
  readonly blocks: Uint8Array | Uint16Array;
  readonly scales: Uint8Array;
  readonly biasBits: Uint16Array;
}

/** Random experts of either format; inputs of size 1 give sums of about 3, so that the activation's clamp bites. */
export function randomExperts(
  shape: MoeShape,
  numRows: number,
  numColumns: number,
  seed: number,
): TestExperts {
  const bias = randomBf16(shape.numExperts * numRows, seed);
  const common = { numRows, numColumns, bias: bias.values, biasBits: bias.bits };
  const numWeights = shape.numExperts * numRows * numColumns;
  if (shape.expertFormat === "bf16") {
    const weights = randomBf16(numWeights, seed + 1, 3 / Math.sqrt(numColumns));
    return { ...common, blocks: weights.bits, scales: new Uint8Array(4), values: weights.values };
  }
  const blocks = randomBytes(numWeights / 2, seed + 1);
  const middle = Math.round(127 - Math.log2(numColumns) / 2);
  const scales = randomBytes(numWeights / 32, seed + 2, middle - 2, middle + 2);
  return { ...common, blocks, scales, values: decodeMxfp4Reference(blocks, scales) };
}

/** The residual of a case, [T, H]. */
export const randomResidual = ({ numTokens, hiddenSize, scale = 1 }: MoeCase, seed: number): Float32Array =>
  randomNormal(numTokens * hiddenSize, seed, scale);

/** What moe-group hands to the tile kernels, with zeroed spare tiles up to the limit of `numTokens`. */
export function groupForTest(
  shape: MoeShape,
  ids: Uint32Array,
  numTokens: number,
): { entries: Uint32Array; tiles: Uint32Array } {
  const { entries, tiles } = moeGroupReference(ids, shape.numExperts, tuningOf(shape).moeTile.tileTokens);
  const tileWords = new Uint32Array(4 * moeTileLimit(shape, numTokens));
  tileWords.set(tiles.flatMap((tile) => [...tile, 0]));
  return { entries: Uint32Array.from(entries), tiles: tileWords };
}

/** Rows of `width` numbers in the order of lib/interleaved.wgsl. */
export function interleave(rows: ArrayLike<number>, width: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: rows.length }, (_, i) => rows[interleavedFrom(i, width)] ?? 0);
}

/** The rows that `interleave` made its result of. */
export function deinterleave(rows: ArrayLike<number>, width: number): Float32Array<ArrayBuffer> {
  const plain = new Float32Array(rows.length);
  for (let i = 0; i < rows.length; i += 1) plain[interleavedFrom(i, width)] = rows[i] ?? 0;
  return plain;
}

/** Where the number at place `i` of interleaved rows stood before: vec4 b of the blocks' i-th is vec4 i of block b. */
function interleavedFrom(i: number, width: number): number {
  const blocks = width / 32;
  const vec = Math.floor((i % width) / 4);
  return i - (i % width) + 32 * (vec % blocks) + 4 * Math.floor(vec / blocks) + (i % 4);
}
