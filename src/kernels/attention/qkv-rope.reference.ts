import type { WithActivations } from "../activation-format.ts";
import { denseGroups, quantizeActivationsReference } from "../int8-activations.reference.ts";
import { rmsNormReference } from "../norm/rms-norm.reference.ts";
import { type QkvHeads, type RotatedQkv, ropeKvWriteReference } from "./rope-kv-write.reference.ts";

/** What the fused projection works on, row-major, in float64. */
export interface QkvRopeInputs {
  /** [T, H]. */
  readonly x: ArrayLike<number>;
  /** [H]. */
  readonly gain: ArrayLike<number>;
  /** [(Q+2K)*D, H]. */
  readonly weight: ArrayLike<number>;
  /** [(Q+2K)*D]. */
  readonly bias: ArrayLike<number>;
  /** [positions, D/2, 2] of (cos, sin). */
  readonly rope: ArrayLike<number>;
  /** Position of the first token. */
  readonly position: number;
  readonly eps: number;
}

/** How the projection takes its inputs. */
interface Options extends QkvHeads, WithActivations {}

/** rope(W . rmsnorm(x) + bias) in float64, split into rotated q and k, and v. */
export function qkvRopeReference(inputs: QkvRopeInputs, heads: Options): RotatedQkv {
  const { gain, weight, bias } = inputs;
  const hiddenSize = gain.length;
  const exact = rmsNormReference(inputs.x, gain, inputs.eps);
  const normed =
    heads.activations === "int8" ? quantizeActivationsReference(exact, hiddenSize, denseGroups) : exact;
  const numTokens = normed.length / hiddenSize;
  const qkv = new Float64Array(numTokens * bias.length);
  for (let t = 0; t < numTokens; t += 1) {
    for (let row = 0; row < bias.length; row += 1) {
      let sum = bias[row] ?? Number.NaN;
      for (let h = 0; h < hiddenSize; h += 1)
        sum += (weight[row * hiddenSize + h] ?? Number.NaN) * (normed[t * hiddenSize + h] ?? Number.NaN);
      qkv[t * bias.length + row] = sum;
    }
  }
  return ropeKvWriteReference(qkv, inputs.rope, inputs.position, heads);
}
