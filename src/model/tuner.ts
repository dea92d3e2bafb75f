import type { ModelConfig } from "../format/types.ts";
import { createBufferSet } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Step } from "../gpu/steps.ts";
import { createGpuTimer, type GpuTimer, timeRound } from "../gpu/time-steps.ts";
import { packStep } from "../kernels/step.ts";
import type { KernelTuning } from "../kernels/tuning.ts";
import { type TuningKey, tuningCandidates, tuningKeys, tuningsToTry } from "../kernels/tuning-candidates.ts";
import { type Activations, allocateActivations } from "./activations.ts";
import { createModelPlan, type PlanMemory } from "./plan.ts";
import type { PassRun } from "./plan-types.ts";
import type { PlanOptions } from "./shapes.ts";
import type { ModelWeights } from "./weights.ts";

export interface TunerInput {
  /** Buffers in their real sizes; what they hold does not matter. */
  readonly weights: ModelWeights;
  readonly config: ModelConfig;
  /** As the model will run, with the tuning to start from. */
  readonly options: Parameters<typeof createModelPlan>[3];
}

/** Most time that measuring takes, compilation of the candidates included. */
const budgetMs = 2000;
/** Kernels of a key whose base takes longer than this a round are left alone: such a GPU would need too long for the rest. */
const slowRoundMs = 100;
/** A candidate must be so much faster than the base: less may be noise. */
const leastGain = 0.03;
/** Positions of the measured context: attention is not tuned. */
const contextLength = 1024;
/** Layers that a round goes through, so that weights come from memory and not from a cache. */
const decodeLayers = 8;
/** A tile kernel's layer is larger than caches, and takes long. */
const prefillLayers = 1;

/**
 * Times every candidate of every row of a tuning on this adapter, with the model's own sizes, and returns the fastest
 * of each. Bounded: what is not measured in time stays as it was. Frees all it allocates.
 * @throws out-of-memory | device-lost | shader-compile
 */
export async function measureTuning(
  gpu: Gpu,
  { weights, config, options }: TunerInput,
  clock: () => number = () => performance.now(),
): Promise<KernelTuning> {
  const deadline = clock() + budgetMs;
  const base = options.tuning;
  const buffers = createBufferSet(gpu);
  const timer = createGpuTimer(gpu);
  try {
    const maxTokensPerPass = Math.min(options.maxTokensPerPass, contextLength);
    const small = {
      ...options,
      maxTokensPerPass,
      contextLength: Math.min(contextLength, options.contextLength),
    };
    const act = allocateActivations(buffers, config, { ...small, tuning: smallest(base) });
    await buffers.settled();
    writeInputs(gpu, act, config, small);
    const planOf = (tuning: KernelTuning) =>
      roundsOf(gpu, { buffers, weights, act }, config, { ...small, tuning });
    const baseRounds = await planOf(base);
    let best = base;
    for (const key of tuningKeys(base)) {
      if (clock() >= deadline) break;
      const tunings = tuningsToTry(base).filter((tried) => tried.key === key);
      const rounds = await Promise.all(tunings.map(({ tuning }) => planOf(tuning)));
      const fastest = await fastestRow(timer, baseRounds, rounds, () => deadline - clock());
      const tuning = fastest === undefined ? undefined : tunings[fastest]?.tuning;
      if (tuning !== undefined) best = { ...best, [key]: tuning[key] };
    }
    return best;
  } finally {
    timer.destroy();
    buffers.destroy();
  }
}

/** Steps of a decode round and of a prefill round. */
interface Round {
  readonly steps: readonly Step<PassRun>[];
  readonly run: PassRun;
}

async function roundsOf(
  gpu: Gpu,
  memory: PlanMemory,
  config: ModelConfig,
  options: TunerInput["options"],
): Promise<Round[]> {
  const layers = memory.weights.layers.slice(0, decodeLayers);
  const plan = await createModelPlan(
    gpu,
    { ...memory, weights: { ...memory.weights, layers } },
    config,
    options,
  );
  const numTokens = options.maxTokensPerPass;
  const perLayer = Math.ceil(plan.prefill.length / Math.max(1, layers.length));
  return [
    { steps: [...plan.decode, ...plan.head], run: { numTokens: 1, maxKeys: 1 } },
    { steps: plan.prefill.slice(0, 1 + prefillLayers * perLayer), run: { numTokens, maxKeys: numTokens } },
  ];
}

/** The index of the candidate that is clearly faster than the base, if one is. */
async function fastestRow(
  timer: GpuTimer,
  base: readonly Round[],
  candidates: readonly (readonly Round[])[],
  timeLeftMs: () => number,
): Promise<number | undefined> {
  let fastest: number | undefined;
  for (const [i, round] of base.entries()) {
    // What a candidate changes is what has another pipeline than the base at the same place.
    const changed = round.steps.flatMap((step, at) =>
      candidates.some((rounds) => rounds[i]?.steps[at]?.pipeline !== step.pipeline) ? [at] : [],
    );
    if (changed.length === 0) continue;
    const time = async (steps: readonly Step<PassRun>[]) => {
      const own = changed.flatMap((at) => steps[at] ?? []);
      const once = await timer.time(own, round.run, 1);
      return once > slowRoundMs ? once : timeRound(timer, own, round.run, { leastMs: 4, runs: 3 });
    };
    const baseMs = await time(round.steps);
    if (baseMs > slowRoundMs) continue;
    let bestMs = baseMs * (1 - leastGain);
    for (const [candidate, rounds] of candidates.entries()) {
      if (timeLeftMs() < 4 * Math.max(5, baseMs)) return fastest;
      const milliseconds = await time(rounds[i]?.steps ?? []);
      if (milliseconds >= bestMs) continue;
      bestMs = milliseconds;
      fastest = candidate;
    }
  }
  return fastest;
}

/** Routing spread over the experts, so that no expert is read twice by a token. */
function writeInputs(
  gpu: Gpu,
  act: Activations,
  config: ModelConfig,
  { maxTokensPerPass }: PlanOptions,
): void {
  const { numExperts, expertsPerToken } = config;
  const ids = Uint32Array.from(
    { length: maxTokensPerPass * expertsPerToken },
    (_, entry) => (entry * 7 + Math.floor(entry / numExperts)) % numExperts,
  );
  gpu.device.queue.writeBuffer(act.expertIds, 0, ids);
  const routes = Uint32Array.from({ length: 2 * expertsPerToken }, (_, i) =>
    i % 2 === 0 ? (ids[i / 2] ?? 0) : 0,
  );
  gpu.device.queue.writeBuffer(act.routes, 0, routes);
  gpu.device.queue.writeBuffer(act.step, 0, packStep({ position: 0, numTokens: maxTokensPerPass }));
}

/** The least of every size over all candidates: scratch buffers that are made for it hold any of them. */
function smallest(base: KernelTuning): KernelTuning {
  const candidates = tuningCandidates(base);
  const least = (key: TuningKey) =>
    [base[key], ...candidates[key]].reduce<Record<string, unknown>>(
      (sizes, row) => {
        for (const [name, value] of Object.entries(row)) {
          const known = sizes[name];
          sizes[name] =
            typeof value === "number" && typeof known === "number" ? Math.min(value, known) : value;
        }
        return sizes;
      },
      { ...base[key] },
    );
  return Object.fromEntries(tuningKeys(base).map((key) => [key, least(key)])) as unknown as KernelTuning;
}
