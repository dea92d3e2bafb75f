import type { ActivationFormat } from "../kernels/activation-format.ts";
import {
  type ActivationGroups,
  activationScales,
  denseGroups,
  quantizeActivationsReference,
} from "../kernels/int8-activations.reference.ts";
import type { DenseFormat } from "../kernels/linear/dense.ts";

/** Every way in which dense weights are stored and multiplied. */
export const denseForms: readonly { readonly dense: DenseFormat; readonly activations: ActivationFormat }[] =
  [
    { dense: "bf16", activations: "f32" },
    { dense: "int8", activations: "f32" },
    { dense: "int8", activations: "int8" },
  ];

/**
 * Inputs [T, width] of which none lies within a hundredth of the middle between two int8 codes, where rounding of f32
 * decides: such ones grow by a fiftieth of a code. Where a gain [width] is given, codes are those of x * gain.
 */
export function awayFromTies(
  x: Float32Array,
  width: number,
  groupOf: ActivationGroups,
  gain?: ArrayLike<number>,
): Float32Array {
  const gained = Float64Array.from(x, (value, i) => value * (gain?.[i % width] ?? 1));
  const scales = activationScales(gained, width, groupOf);
  return Float32Array.from(x, (value, i) => {
    const quotient = Math.abs((gained[i] ?? 0) / (scales[i] ?? 1));
    return Math.abs((quotient % 1) - 0.5) < 0.01 ? value * (1 + 0.02 / quotient) : value;
  });
}

/** Inputs [T, H] for a kernel with a fused norm. */
export const gainedFor = (
  activations: ActivationFormat,
  x: Float32Array,
  gain: ArrayLike<number>,
): Float32Array => (activations === "f32" ? x : awayFromTies(x, gain.length, denseGroups, gain));

/** Inputs for a kernel, and as its reference is to take them. */
export function activationsFor(
  activations: ActivationFormat,
  x: Float32Array,
  width: number,
  groupOf: ActivationGroups,
): { readonly given: Float32Array; readonly taken: ArrayLike<number> } {
  if (activations === "f32") return { given: x, taken: x };
  const given = awayFromTies(x, width, groupOf);
  return { given, taken: quantizeActivationsReference(given, width, groupOf) };
}
