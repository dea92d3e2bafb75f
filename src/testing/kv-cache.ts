import { unpackKv } from "../kernels/attention/kv-cache.reference.ts";
import { type KvShape, kvCacheBytes } from "../kernels/attention/kv-cache.ts";
import { yarnRopeTable } from "../kernels/attention/rope-table.ts";
import { expectClose } from "./compare.ts";
import { poison } from "./run-kernel.ts";

/** A rotary table with a small original context, so that the ramp falls within short tests. */
export const testRope = (headDim: number, numPositions: number): Float32Array =>
  yarnRopeTable(
    {
      theta: 10000,
      factor: 4,
      betaFast: 32,
      betaSlow: 1,
      truncate: false,
      originalMaxPositionEmbeddings: 256,
    },
    headDim,
    numPositions,
  );

/** A poisoned KV buffer as bytes. */
export const poisonedKv = (shape: KvShape): Uint8Array =>
  new Uint8Array(new Uint32Array(kvCacheBytes(shape) / 4).fill(poison).buffer);

/**
 * Asserts that a KV buffer that started poisoned holds `rows` [T, K, D] at the slots of `position` and after, and is
 * untouched elsewhere.
 */
export function expectRing(
  bytes: ArrayBuffer,
  rows: ArrayLike<number>,
  { shape, position }: { readonly shape: KvShape; readonly position: number },
  label: string,
): void {
  const { numKvHeads, headDim, capacity, kvFormat } = shape;
  const expected = unpackKv(poisonedKv(shape).buffer as ArrayBuffer, kvFormat);
  const written = new Set<number>();
  for (let i = 0; i < rows.length; i += 1) {
    const head = Math.floor(i / headDim) % numKvHeads;
    const slot = (position + Math.floor(i / (headDim * numKvHeads))) % capacity;
    const at = (head * capacity + slot) * headDim + (i % headDim);
    expected[at] = rows[i] ?? Number.NaN;
    written.add(at);
  }
  const got = unpackKv(bytes, kvFormat);
  const at = [...written];
  // f16 may round either way (WGSL leaves it open) and flush what is below 2^-14; f32 is two products and a sum.
  const tolerance =
    kvFormat === "f16"
      ? { absolute: 2 ** -14, relative: 2 ** -10 }
      : { absolute: 1e-6 * largest(rows), relative: 1e-6 };
  expectClose(
    at.map((i) => got[i] ?? Number.NaN),
    at.map((i) => expected[i] ?? Number.NaN),
    tolerance,
    label,
  );
  expectUntouched(bytes, written, shape, label);
}

function largest(rows: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < rows.length; i += 1) most = Math.max(most, Math.abs(rows[i] ?? 0));
  return most;
}

function expectUntouched(bytes: ArrayBuffer, written: Set<number>, shape: KvShape, label: string): void {
  const elementBytes = shape.kvFormat === "f16" ? 2 : 4;
  const got = new Uint8Array(bytes);
  const poisoned = poisonedKv(shape);
  for (let i = 0; i < got.length; i += 1) {
    if (!written.has(Math.floor(i / elementBytes)) && got[i] !== poisoned[i])
      throw new Error(`${label}: byte ${i} lies outside the slots of this pass and was written`);
  }
}
