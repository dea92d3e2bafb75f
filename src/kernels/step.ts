/** The step state of lib/step.wgsl, as 32-bit words. */
export const stepWords = {
  position: 0,
  numTokens: 1,
  stopped: 2,
  numGenerated: 3,
  seed: 4,
  inverseTemperature: 5,
} as const;

/** Bytes of the step state. */
export const stepBytes = 32;

export interface StepValues {
  readonly position: number;
  readonly numTokens: number;
  readonly numGenerated?: number;
  readonly seed?: number;
  /** 0 is greedy. */
  readonly temperature?: number;
}

/** Below it a temperature is as good as greedy, and its inverse would leave the range of f32. */
const leastTemperature = 1e-5;

/** The step state as bytes for the GPU. */
export function packStep(values: StepValues): ArrayBuffer {
  const bytes = new ArrayBuffer(stepBytes);
  const words = new Uint32Array(bytes);
  words[stepWords.position] = values.position;
  words[stepWords.numTokens] = values.numTokens;
  words[stepWords.numGenerated] = values.numGenerated ?? 0;
  words[stepWords.seed] = values.seed ?? 0;
  const temperature = values.temperature ?? 0;
  new Float32Array(bytes)[stepWords.inverseTemperature] =
    temperature > 0 ? 1 / Math.max(temperature, leastTemperature) : 0;
  return bytes;
}
