import { EngineError } from "../errors.ts";
import type { BufferSet } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { packStopTokens } from "../kernels/sample/sample-advance.ts";
import type { ModelPlan } from "../model/plan-types.ts";
import { maxRewind } from "../model/shapes.ts";
import type { Direction, Guide, TokenMask } from "./guide.ts";
import { createPasses, type Passes } from "./passes.ts";
import type { SampledToken } from "./readback-ring.ts";
import type { FinishReason } from "./types.ts";

/** A generation as the scheduler takes it: checked, nothing optional. */
export interface DecodeRequest {
  readonly prompt: readonly number[];
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly seed: number;
  readonly stopTokens: readonly number[];
  /** Says token by token what may come. */
  readonly guide: Guide;
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
 * after a stop (a stopped step does nothing, but is dispatched) or a rewind.
 */
const stepsInFlight = 1 + maxRewind;

export function createScheduler(gpu: Gpu, plan: ModelPlan, buffers: BufferSet): Scheduler {
  // Steps that a rewind dropped may still be under way with those that replace them.
  const passes = createPasses(gpu, plan, buffers, 2 * stepsInFlight);
  /** Work that an abort left behind. */
  let leftOver: Promise<unknown> = Promise.resolve();

  return {
    async *run(request) {
      await leftOver.catch(() => {});
      gpu.device.queue.writeBuffer(plan.buffers.stopTokens, 0, packStopTokens(request.stopTokens));
      const answer = createAnswer(passes, request, (mask) =>
        gpu.device.queue.writeBuffer(plan.buffers.allowed, 0, mask),
      );
      try {
        return yield* answer.tokens();
      } finally {
        leftOver = answer.ended();
      }
    },
    async idle() {
      await leftOver.catch(() => {});
    },
  };
}

/**
 * One answer. The GPU may be ahead of what is known here: by whole steps, sampled within the mask that held when they
 * were submitted, or by the layers of one step. What the guide says next decides whether that counts or is dropped: a
 * dropped step wrote keys and values only at positions that are written again before they are read.
 */
function createAnswer(passes: Passes, request: DecodeRequest, upload: (mask: TokenMask) => void) {
  const { guide, maxNewTokens, temperature, seed, signal } = request;
  const tokens = [...request.prompt];
  /** Whole steps under way, in order. */
  let underWay: Promise<SampledToken>[] = [];
  /** Dropped steps, and parts of a prompt that was aborted. */
  let dropped: Promise<unknown> = Promise.resolve();
  /** The layers of the step after those under way are submitted, its sampling is not. */
  let hasLayersAhead = false;
  /** Tokens from here on are run as known ones before the next is sampled; undefined where the GPU has the last one. */
  let runFrom: number | undefined = 0;
  let uploaded: TokenMask | undefined;

  const numGenerated = () => tokens.length - request.prompt.length;
  const room = () => maxNewTokens - numGenerated() - underWay.length;
  /** Keys that the step after those under way sees. */
  const nextKeys = () => tokens.length + underWay.length;

  function setMask(mask: TokenMask): void {
    if (mask !== uploaded) upload(mask);
    uploaded = mask;
  }

  /** Forgets the steps under way, which were sampled on other terms. */
  function drop(): void {
    hasLayersAhead = false;
    if (underWay.length === 0) return;
    dropped = Promise.allSettled([dropped, ...underWay]);
    underWay = [];
  }

  function rewind(): void {
    const last = tokens.at(-1);
    if (last === undefined) throw new EngineError("internal", "There is no token to go back to.");
    drop();
    const position = tokens.length - 1;
    passes.rewind(last, { position, numTokens: 1, numGenerated: numGenerated(), temperature, seed });
  }

  /** Runs the tokens that the GPU does not have and samples after them. False where aborted. */
  async function runKnown(from: number): Promise<boolean> {
    drop();
    const state = { tokens, from, numGenerated: numGenerated(), temperature, seed, signal };
    const { first, ended } = await passes.known(state);
    if (first === undefined) {
      dropped = Promise.allSettled([dropped, ended]);
      return false;
    }
    underWay.push(first);
    runFrom = undefined;
    return true;
  }

  /** Sees to it that the next token is under way, and more where that cannot be wrong. False where aborted. */
  async function advance(direction: Exclude<Direction, { kind: "forced" }>): Promise<boolean> {
    if (direction.kind === "free") return advanceFreely(direction.mask);
    if (runFrom === undefined) {
      if (underWay.length > 0) rewind(); // a guide wants another mask than the one they run with
      if (!hasLayersAhead) passes.layers(nextKeys());
      hasLayersAhead = true;
    }
    const mask = await orAborted(direction.mask, signal);
    if (mask === undefined) return false;
    setMask(mask);
    if (runFrom === undefined) {
      underWay.push(passes.sample());
      hasLayersAhead = false;
    } else if (!(await runKnown(runFrom))) return false;
    // The next step's layers need the token on the GPU alone, so they run while the CPU finds its mask.
    if (room() > 0) {
      passes.layers(nextKeys());
      hasLayersAhead = true;
    }
    return true;
  }

  async function advanceFreely(mask: TokenMask): Promise<boolean> {
    if (runFrom === undefined && mask !== uploaded && underWay.length > 0) rewind();
    setMask(mask);
    if (runFrom !== undefined && !(await runKnown(runFrom))) return false;
    if (hasLayersAhead) {
      underWay.push(passes.sample());
      hasLayersAhead = false;
    }
    while (underWay.length < stepsInFlight && room() > 0) underWay.push(passes.step(nextKeys()));
    return true;
  }

  async function* generate(): AsyncGenerator<number, FinishReason> {
    let direction = guide.begin();
    /** Tokens that were forced before the prompt ran: they are no answer before it has. */
    const held: number[] = [];
    for (;;) {
      if (signal?.aborted) return "aborted";
      if (direction.kind === "forced") {
        const isEarly = runFrom === 0;
        runFrom ??= tokens.length - 1;
        const forced = direction.tokens;
        for (const token of forced) {
          tokens.push(token);
          direction = guide.next(token);
          if (isEarly) held.push(token);
          else yield token;
          if (numGenerated() === maxNewTokens) {
            yield* held;
            return "length";
          }
        }
        continue;
      }
      if (!(await advance(direction))) return "aborted";
      const sampled = await orAborted(underWay[0], signal);
      if (sampled === undefined) return "aborted";
      underWay.shift();
      tokens.push(sampled.token);
      if (!sampled.stopped && numGenerated() < maxNewTokens) direction = guide.next(sampled.token);
      yield* held.splice(0);
      yield sampled.token;
      if (sampled.stopped) return "stop";
      if (numGenerated() === maxNewTokens) return "length";
    }
  }

  return {
    tokens: generate,
    ended: (): Promise<unknown> => Promise.allSettled([dropped, ...underWay]),
  };
}

/** The value, or undefined as soon as the signal fires. */
async function orAborted<T>(
  value: Promise<T> | T | undefined,
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
