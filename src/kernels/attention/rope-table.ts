import type { RopeConfig } from "../../format/types.ts";

/**
 * YaRN's factor on cos and sin: 0.1 ln(factor) + 1, and 1 where nothing is stretched. Queries and keys both carry
 * it, so attention logits grow by its square.
 */
export const yarnConcentration = (factor: number): number => (factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1);

/**
 * YaRN rotary frequencies in radians per position: [D/2]. Pairs that turn more than `betaFast` times within the
 * original context keep their frequency, those below `betaSlow` turns are slowed by `factor`, and a linear ramp lies
 * between. `truncate` rounds the ramp's ends outwards to whole pairs (gpt-oss does not).
 */
export function yarnInverseFrequencies(rope: RopeConfig, headDim: number): Float64Array {
  const { low, high } = rampRange(rope, headDim);
  return Float64Array.from({ length: headDim / 2 }, (_, pair) => {
    const frequency = rope.theta ** ((-2 * pair) / headDim);
    const slowed = Math.min(1, Math.max(0, (pair - low) / (high - low)));
    return (slowed * frequency) / rope.factor + (1 - slowed) * frequency;
  });
}

/** Pair numbers between which the ramp runs, kept within the head and never empty. */
function rampRange(rope: RopeConfig, headDim: number): { low: number; high: number } {
  const pairTurning = (turns: number): number =>
    (headDim * Math.log(rope.originalMaxPositionEmbeddings / (turns * 2 * Math.PI))) /
    (2 * Math.log(rope.theta));
  const fast = pairTurning(rope.betaFast);
  const slow = pairTurning(rope.betaSlow);
  const low = Math.max(rope.truncate ? Math.floor(fast) : fast, 0);
  const high = Math.min(rope.truncate ? Math.ceil(slow) : slow, headDim - 1);
  return { low, high: low === high ? high + 0.001 : high };
}

/**
 * The rotary table that the attention kernels read: [positions][D/2] of (cos, sin), the concentration in both.
 * Angles are formed in float64, since WGSL's sin and cos are only good within [-pi, pi].
 */
export function yarnRopeTable(rope: RopeConfig, headDim: number, numPositions: number): Float32Array {
  const frequencies = yarnInverseFrequencies(rope, headDim);
  const concentration = yarnConcentration(rope.factor);
  const table = new Float32Array(numPositions * headDim);
  let at = 0;
  for (let position = 0; position < numPositions; position += 1) {
    for (const frequency of frequencies) {
      table[at] = concentration * Math.cos(position * frequency);
      table[at + 1] = concentration * Math.sin(position * frequency);
      at += 2;
    }
  }
  return table;
}
