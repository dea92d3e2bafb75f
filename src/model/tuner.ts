import { isEngineError, throwIfAborted } from "../errors.ts";
import { createBufferSet } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Step } from "../gpu/steps.ts";
import { createGpuTimer, type GpuTimer, timeRound } from "../gpu/time-steps.ts";
import { packStep } from "../kernels/step.ts";
import { type KernelTuning, tileKeys } from "../kernels/tuning.ts";
import { type TuningKey, tuningCandidates, tuningKeys, withRow } from "../kernels/tuning-candidates.ts";
import { type Activations, allocateActivations } from "./activations.ts";
import { createDeadline, type Deadline } from "./deadline.ts";
import type { PassRun } from "./plan-types.ts";
import { affordableTrials, draftPasses, draftsOf, type TunerInput, withLayers } from "./tuner-trials.ts";

/** Most time that measuring takes, compilation of the candidates included. */
const budgetMs = 2000;
/** What takes longer than this a round is left alone: such a GPU would need too long for the rest. */
const slowRoundMs = 100;
/** Times that differ by less, as a share, may be the same. */
const clearly = 0.03;
/** Most tokens of the measured prompt. */
const mostTokens = 1024;
/** Tokens of a short one, which large tiles leave half empty: most questions are that short. */
const shortTokens = 32;
/** Layers that a round goes through, so that weights come from memory and not from a cache. */
const decodeLayers = 8;
/** A tile kernel's layer is larger than caches, and takes long. */
const prefillLayers = 1;

export interface TunerOptions {
  readonly signal?: AbortSignal | undefined;
  readonly clock?: () => number;
}

/**
 * Times candidates for the rows of a tuning on this adapter, with the model's own sizes, and returns the fastest of each.
 * Bounded in time and in modules: what is not measured stays as it was, as does what does not compile. Frees all it allocates.
 * @throws out-of-memory | device-lost | aborted
 */
export async function measureTuning(
  gpu: Gpu,
  input: TunerInput,
  { signal, clock = () => performance.now() }: TunerOptions = {},
): Promise<KernelTuning> {
  throwIfAborted(signal);
  const deadline = createDeadline({ milliseconds: budgetMs, clock, signal });
  const base = input.options.tuning;
  const trials = await affordableTrials(gpu, input);
  const buffers = createBufferSet(gpu);
  const timer = createGpuTimer(gpu);
  try {
    const layers = input.config.layerTypes.map((_, layer) => layer).slice(0, decodeLayers);
    const few = withLayers(input, layers);
    const act = allocateActivations(buffers, few.config, { ...few.options, tuning: smallest(base) });
    if ((await deadline.within(buffers.settled().then(() => true))) === undefined) return base;
    writeInputs(gpu, act, few);
    let best = base;
    for (const key of tuningKeys) {
      const tunings = trials.filter((trial) => trial.key === key).map(({ tuning }) => tuning);
      if (tunings.length === 0) continue;
      // All compile at the same time, and each is measured once it is there.
      const [first, ...others] = [base, ...tunings].map((tuning) => roundOf(gpu, few, act, key, tuning));
      const fastest = await fastestRow({ gpu, act, timer, deadline }, first, others);
      const tuning = fastest === undefined ? undefined : tunings[fastest];
      if (tuning !== undefined) best = withRow(best, key, tuning[key]);
      if (deadline.left() === 0) break;
    }
    return best;
  } finally {
    timer.destroy();
    buffers.destroy();
  }
}

/** What a row's kernels do for a token, or for a prompt. */
export interface Round {
  readonly steps: readonly Step<PassRun>[];
  /** Tokens that it is measured with: what is to be faster, and after it what must not be slower. */
  readonly numTokens: readonly number[];
}

const runOf = (numTokens: number): PassRun => ({ numTokens, maxKeys: numTokens });

/**
 * The steps of a row's kernels. Those of a prompt begin with moe-group where they read its tiles: of buffers that nobody
 * filled, they would find that there is nothing to do.
 */
export async function roundOf(
  gpu: Gpu,
  input: TunerInput,
  act: Activations,
  key: TuningKey,
  tuning: KernelTuning,
): Promise<Round> {
  const isPrompt = tileKeys.some((tile) => tile === key);
  const drafts = isPrompt
    ? (await draftPasses(gpu, withLayers(input, [...Array(prefillLayers).keys()]), act, tuning)).prefill
    : await draftPasses(gpu, input, act, tuning).then(({ decode, head }) => [...decode, ...head]);
  const steps = await Promise.all(draftsOf(key, drafts).map((draft) => draft.build()));
  const most = tokensOf(input);
  return { steps, numTokens: isPrompt ? [...new Set([most, Math.min(shortTokens, most)])] : [1] };
}

/** Tokens of the measured prompt. */
const tokensOf = ({ options }: TunerInput): number => Math.min(options.maxTokensPerPass, mostTokens);

interface Measuring {
  readonly gpu: Gpu;
  readonly act: Activations;
  readonly timer: GpuTimer;
  readonly deadline: Deadline;
}

/** The index of the candidate to take instead of the base, if there is one. */
async function fastestRow(
  measuring: Measuring,
  base: Promise<Round> | undefined,
  candidates: readonly Promise<Round>[],
): Promise<number | undefined> {
  for (const round of candidates) round.catch(() => {}); // heard of when its turn comes
  const baseTimes = await timesOf(measuring, base);
  if (baseTimes === undefined) return undefined;
  const times: (readonly number[] | undefined)[] = [];
  for (const round of candidates) times.push(await timesOf(measuring, round));
  return fastestOf(baseTimes, times);
}

/**
 * The candidate that takes the least of the first time, where that is clearly less than the base's and none of its other
 * times is clearly more; undefined where there is none. A candidate that was not measured is undefined.
 */
export function fastestOf(
  base: readonly number[],
  candidates: readonly (readonly number[] | undefined)[],
): number | undefined {
  let fastest: number | undefined;
  let leastMs = (base[0] ?? 0) * (1 - clearly);
  for (const [candidate, [milliseconds, ...others] = []] of candidates.entries()) {
    if (milliseconds === undefined || milliseconds >= leastMs) continue;
    if (others.some((ms, i) => ms > (base[i + 1] ?? 0) * (1 + clearly))) continue;
    leastMs = milliseconds;
    fastest = candidate;
  }
  return fastest;
}

/** Milliseconds of a round by its numbers of tokens; undefined where the time is or would be over first, and where it does not compile here. */
async function timesOf(
  { gpu, act, timer, deadline }: Measuring,
  compiling: Promise<Round> | undefined,
): Promise<number[] | undefined> {
  const round = await deadline.within(compiledOf(compiling));
  if (round === undefined) return undefined;
  const { steps } = round;
  const timeOnce = (numTokens: number) => {
    gpu.device.queue.writeBuffer(act.step, 0, packStep({ position: 0, numTokens }));
    return timer.time(steps, runOf(numTokens), 1);
  };
  const times: number[] = [];
  for (const numTokens of round.numTokens) {
    // A slow GPU shows in a few tokens of a prompt already.
    const few = Math.ceil(numTokens / 8);
    if (few < numTokens && (await timeOnce(few)) > slowRoundMs / 2) return undefined;
    const once = await timeOnce(numTokens);
    if (once > slowRoundMs || deadline.left() < 4 * Math.max(5, once)) return undefined;
    times.push(await timeRound(timer, steps, runOf(numTokens), { leastMs: 4, runs: 3 }));
  }
  return times;
}

async function compiledOf(compiling: Promise<Round> | undefined): Promise<Round | undefined> {
  try {
    return await compiling;
  } catch (error) {
    if (isEngineError(error, "shader-compile") || isEngineError(error, "limit-exceeded")) return undefined;
    throw error;
  }
}

/** Routing spread over the experts, so that no expert is read twice by a token. */
function writeInputs(gpu: Gpu, act: Activations, input: TunerInput): void {
  const { numExperts, expertsPerToken } = input.config;
  const ids = Uint32Array.from(
    { length: tokensOf(input) * expertsPerToken },
    (_, entry) => (entry * 7 + Math.floor(entry / numExperts)) % numExperts,
  );
  gpu.device.queue.writeBuffer(act.expertIds, 0, ids);
  const routes = Uint32Array.from({ length: 2 * expertsPerToken }, (_, i) =>
    i % 2 === 0 ? (ids[i / 2] ?? 0) : 0,
  );
  gpu.device.queue.writeBuffer(act.routes, 0, routes);
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
  return Object.fromEntries(tuningKeys.map((key) => [key, least(key)])) as unknown as KernelTuning;
}
