import type { BufferSet } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { encodeSteps, type Step, submit, workDone } from "../gpu/steps.ts";
import { packStep, type StepValues } from "../kernels/step.ts";
import type { ModelPlan, PassRun } from "../model/plan-types.ts";
import { createPrefillPacer, cutEvenly } from "./prefill-pacer.ts";
import { createReadbackRing, type SampledToken } from "./readback-ring.ts";

/** What a pass over known tokens needs beside them. */
export interface KnownPass {
  /** All tokens of the request so far; those from `from` on are run. */
  readonly tokens: readonly number[];
  /** Positions before it are in the KV cache already. */
  readonly from: number;
  /** Tokens of the answer so far: numbers the sampler's noise. */
  readonly numGenerated: number;
  readonly temperature: number;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
}

/** What can be submitted of a plan. Everything runs in the order of the calls. */
export interface Passes {
  /**
   * Runs known tokens pass by pass, each in as many submits as keep the GPU responsive, one submit ahead of it; the
   * last submit samples. Where aborted `first` is undefined, and `ended` resolves when the GPU is through.
   */
  known(pass: KnownPass): Promise<{ readonly first?: Promise<SampledToken>; readonly ended: Promise<void> }>;
  /** Puts the step state to a token that is known but not in the KV cache: the next step embeds it at `position`. */
  rewind(token: number, step: StepValues): void;
  /** One decode step, one submit. `maxKeys`: position of its token + 1. */
  step(maxKeys: number): Promise<SampledToken>;
  /** The layers of a decode step, without sampling. */
  layers(maxKeys: number): void;
  /** The sampling after `layers`. */
  sample(): Promise<SampledToken>;
}

/** `maxUnderWay`: most results that are not yet read, dropped ones included. */
export function createPasses(gpu: Gpu, plan: ModelPlan, buffers: BufferSet, maxUnderWay: number): Passes {
  const ring = createReadbackRing(buffers, maxUnderWay);
  const pacer = createPrefillPacer({ maxTokens: plan.maxTokensPerPass, maxSubmits: plan.prefill.length });
  const oneToken = (maxKeys: number): PassRun => ({ numTokens: 1, maxKeys });

  function submitSampling(label: string, steps: readonly Step<PassRun>[], run: PassRun) {
    submit(gpu, label, (encoder) => {
      encodeSteps(encoder, [...steps, ...plan.head, ...plan.sample], run, label);
      ring.encodeCopy(encoder, plan.buffers.result);
    });
    const sampled = ring.arm();
    sampled.catch(() => {}); // awaited in its turn, which may be after an earlier one has failed
    return sampled;
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

  async function known({ tokens, from, numGenerated, temperature, seed, signal }: KnownPass) {
    let position = from;
    for (;;) {
      const { numTokens, numSubmits } = pacer.next(tokens.length - position);
      const run = { numTokens, maxKeys: position + numTokens };
      const isLast = run.maxKeys === tokens.length;
      const parts = cutEvenly(plan.prefill, numSubmits);
      const step = { position, numTokens, numGenerated, temperature, seed };
      writePass(gpu, plan, tokens.slice(position, run.maxKeys), step);
      position = run.maxKeys;
      const started = performance.now();
      let ended = Promise.resolve();
      for (const [i, part] of parts.entries()) {
        if (signal?.aborted) return { ended };
        if (isLast && i === parts.length - 1) return { first: lastSubmit(part, run, started), ended };
        submit(gpu, "prefill", (encoder) => encodeSteps(encoder, part, run, "prefill"));
        const before = ended;
        ended = workDone(gpu, "the prompt was read. Load the model again");
        ended.catch(() => {}); // awaited with the next part
        await before;
      }
      await ended;
      pacer.record(numTokens, performance.now() - started);
    }
  }

  return {
    known,
    rewind: (token, step) => writePass(gpu, plan, [token], step),
    step: (maxKeys) => submitSampling("decode", plan.decode, oneToken(maxKeys)),
    layers: (maxKeys) =>
      submit(gpu, "decode layers", (encoder) =>
        encodeSteps(encoder, plan.decode, oneToken(maxKeys), "decode layers"),
      ),
    // The head's grid depends on the vocabulary alone.
    sample: () => submitSampling("decode sampling", [], oneToken(1)),
  };
}

/** Puts the tokens and the step state of a pass where its kernels read them. */
export function writePass(gpu: Gpu, plan: ModelPlan, tokens: readonly number[], step: StepValues): void {
  gpu.device.queue.writeBuffer(plan.buffers.tokens, 0, Uint32Array.from(tokens));
  gpu.device.queue.writeBuffer(plan.buffers.step, 0, packStep(step));
}
