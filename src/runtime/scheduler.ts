import { EngineError } from "../errors.ts";
import type { BufferSet } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { encodeSteps, type Step, submit } from "../gpu/steps.ts";
import { packStopTokens } from "../kernels/sample/sample-advance.ts";
import { packStep, type StepValues } from "../kernels/step.ts";
import type { ModelPlan, PassRun } from "../model/plan-types.ts";
import { createPrefillPacer, cutEvenly } from "./prefill-pacer.ts";
import { createReadbackRing, type SampledToken } from "./readback-ring.ts";
import type { FinishReason } from "./types.ts";

/** A generation as the scheduler takes it: checked, nothing optional. */
export interface DecodeRequest {
  readonly prompt: readonly number[];
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly seed: number;
  readonly stopTokens: readonly number[];
  /** Bit mask over the vocabulary of the ids that may be sampled. */
  readonly allowed: Uint32Array<ArrayBuffer>;
  readonly signal: AbortSignal | undefined;
}

/** Drives a plan: prompts in chunks, then decode steps several at a time. One request at a time. */
export interface Scheduler {
  /** Yields the answer's tokens; a stop token is the last one. Returns why it ended. @throws device-lost */
  run(request: DecodeRequest): AsyncGenerator<number, FinishReason>;
  /** Resolves when nothing of an aborted request is left on the GPU. */
  idle(): Promise<void>;
}

/**
 * Decode steps under way at once: enough that the GPU never waits for the CPU, few enough that little is wasted
 * after a stop (a stopped step does nothing, but is dispatched).
 */
const stepsInFlight = 4;

export function createScheduler(gpu: Gpu, plan: ModelPlan, buffers: BufferSet): Scheduler {
  const ring = createReadbackRing(buffers, stepsInFlight);
  const pacer = createPrefillPacer({ maxTokens: plan.maxTokensPerPass, maxSubmits: plan.prefill.length });
  /** Work that an abort left behind. */
  let leftOver: Promise<unknown> = Promise.resolve();

  function submitSampling(
    label: string,
    layers: readonly Step<PassRun>[],
    run: PassRun,
  ): Promise<SampledToken> {
    submit(gpu, label, (encoder) => {
      encodeSteps(encoder, [...layers, ...plan.head, ...plan.sample], run, label);
      ring.encodeCopy(encoder, plan.buffers.result);
    });
    const sampled = ring.arm();
    sampled.catch(() => {}); // awaited in its turn, which may be after an earlier one has failed
    return sampled;
  }

  /**
   * Runs the prompt pass by pass, each pass in as many submits as keep the GPU responsive, one submit ahead of it; the
   * last submit samples. Undefined where aborted.
   */
  async function prefill({
    prompt,
    temperature,
    seed,
    signal,
  }: DecodeRequest): Promise<{ first: Promise<SampledToken> } | undefined> {
    let position = 0;
    for (;;) {
      const { numTokens, numSubmits } = pacer.next(prompt.length - position);
      const run = { numTokens, maxKeys: position + numTokens };
      const isLast = run.maxKeys === prompt.length;
      const parts = cutEvenly(plan.prefill, numSubmits);
      writePass(gpu, plan, prompt.slice(position, run.maxKeys), { position, numTokens, temperature, seed });
      position = run.maxKeys;
      const started = performance.now();
      let ended = Promise.resolve();
      for (const [i, part] of parts.entries()) {
        if (signal?.aborted) {
          leftOver = ended;
          return undefined;
        }
        if (isLast && i === parts.length - 1) return { first: lastSubmit(part, run, started) };
        submit(gpu, "prefill", (encoder) => encodeSteps(encoder, part, run, "prefill"));
        const before = ended;
        ended = settled(gpu);
        ended.catch(() => {}); // awaited with the next part
        await before;
      }
      await ended;
      pacer.record(numTokens, performance.now() - started);
    }
  }

  /** Submits the end of the last pass with the sampling, and records the pass's time once the token is there. */
  function lastSubmit(part: readonly Step<PassRun>[], run: PassRun, started: number): Promise<SampledToken> {
    const first = submitSampling("prefill", part, run);
    first.then(
      () => pacer.record(run.numTokens, performance.now() - started),
      () => {},
    );
    return first;
  }

  async function* run(request: DecodeRequest): AsyncGenerator<number, FinishReason> {
    await leftOver.catch(() => {});
    gpu.device.queue.writeBuffer(plan.buffers.stopTokens, 0, packStopTokens(request.stopTokens));
    gpu.device.queue.writeBuffer(plan.buffers.allowed, 0, request.allowed);
    const started = await prefill(request);
    if (started === undefined) return "aborted";
    const underWay = [started.first];
    let submitted = 1;
    let yielded = 0;
    try {
      for (;;) {
        while (underWay.length < stepsInFlight && submitted < request.maxNewTokens) {
          const maxKeys = request.prompt.length + submitted;
          underWay.push(submitSampling("decode", plan.decode, { numTokens: 1, maxKeys }));
          submitted += 1;
        }
        const next = await orAborted(underWay[0], request.signal);
        if (next === undefined) return "aborted";
        underWay.shift();
        yielded += 1;
        yield next.token;
        if (next.stopped) return "stop";
        if (yielded === request.maxNewTokens) return "length";
        if (request.signal?.aborted) return "aborted";
      }
    } finally {
      leftOver = Promise.allSettled(underWay);
    }
  }

  return {
    run,
    async idle() {
      await leftOver.catch(() => {});
    },
  };
}

/** Puts the tokens and the step state of a pass where its kernels read them. */
export function writePass(gpu: Gpu, plan: ModelPlan, tokens: readonly number[], step: StepValues): void {
  gpu.device.queue.writeBuffer(plan.buffers.tokens, 0, Uint32Array.from(tokens));
  gpu.device.queue.writeBuffer(plan.buffers.step, 0, packStep(step));
}

async function settled(gpu: Gpu): Promise<void> {
  try {
    await gpu.device.queue.onSubmittedWorkDone();
  } catch (cause) {
    throw new EngineError(
      "device-lost",
      "The GPU went away while the prompt was read. Load the model again.",
      { cause },
    );
  }
}

/** The value, or undefined as soon as the signal fires. */
async function orAborted<T>(
  value: Promise<T> | undefined,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  if (value === undefined) throw new EngineError("internal", "There is no step to wait for.");
  if (signal === undefined) return value;
  if (signal.aborted) return undefined;
  let onAbort = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([value, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
