/** The gated activation of one pair in float64: g * sigmoid(1.702 g) * (l + 1); the gate is clamped above only. */
export function swigluReference(gate: number, up: number, limit: number): number {
  const g = Math.min(gate, limit);
  const l = Math.max(-limit, Math.min(up, limit));
  return (g / (1 + Math.exp(-1.702 * g))) * (l + 1);
}
