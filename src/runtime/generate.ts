import { EngineError } from "../errors.ts";
import { maxStopTokens } from "../kernels/sample/sample-advance.ts";
import { freeGuide, type Guide } from "./guide.ts";
import type { LoadedModel } from "./loaded-model.ts";
import type { DecodeRequest } from "./scheduler.ts";
import type { FinishReason, GenerateOptions, GenerateStats, Generation } from "./types.ts";

export interface GenerationOptions extends GenerateOptions {
  /** Says token by token what may come. Default: the whole vocabulary, always. */
  readonly guide?: Guide;
}

type Outcome = Awaited<Generation["result"]>;

/** A generation whose result can be made to fail from outside, where its iteration was cut off or never began. */
export interface StartedGeneration extends Generation {
  readonly fail: (error: unknown) => void;
}

/**
 * Checks a request and returns its tokens to come; nothing runs before the iteration starts.
 * @throws request-invalid | context-overflow
 */
export function startGeneration(
  model: LoadedModel,
  prompt: readonly number[],
  options: GenerationOptions,
): StartedGeneration {
  const request = checkedRequest(model, prompt, options);
  let resolve: (outcome: Outcome) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const result = new Promise<Outcome>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  result.catch(() => {}); // whoever iterates sees the same failure
  return {
    result,
    fail: reject,
    async *[Symbol.asyncIterator]() {
      const clock = createClock(prompt.length);
      const tokens = model.scheduler.run(request);
      let finishReason: FinishReason = "aborted"; // stays so where the consumer breaks off
      try {
        for (;;) {
          const next = await tokens.next();
          if (next.done) {
            finishReason = next.value;
            return;
          }
          clock.tick();
          yield next.value;
        }
      } catch (error) {
        reject(error);
        throw error;
      } finally {
        await tokens.return("aborted");
        resolve({ finishReason, stats: clock.stats() });
      }
    },
  };
}

function checkedRequest(
  model: LoadedModel,
  prompt: readonly number[],
  options: GenerationOptions,
): DecodeRequest {
  const { vocabSize } = model.config;
  const {
    maxNewTokens,
    temperature = 1,
    seed = Math.floor(Math.random() * 2 ** 32),
    stopTokens = model.stopTokens,
  } = options;
  checkTokens(prompt, vocabSize);
  if (!Number.isInteger(maxNewTokens) || maxNewTokens < 1)
    throw invalid(`maxNewTokens must be a whole number of at least 1, got ${maxNewTokens}`);
  if (!(temperature >= 0 && temperature <= 100))
    throw invalid(`temperature must be from 0 to 100, got ${temperature}`);
  if (stopTokens.length > maxStopTokens)
    throw invalid(`at most ${maxStopTokens} stop tokens are possible, got ${stopTokens.length}`);
  checkContext(model, prompt.length, maxNewTokens);
  const guide = options.guide ?? freeGuide(new Uint32Array(Math.ceil(vocabSize / 32)).fill(0xffffffff));
  return { prompt, maxNewTokens, temperature, seed: seed >>> 0, stopTokens, guide, signal: options.signal };
}

/** @throws request-invalid where the list is empty or holds an id outside the vocabulary */
export function checkTokens(tokens: readonly number[], vocabSize: number): void {
  if (tokens.length === 0) throw invalid("a prompt needs at least one token");
  for (const [i, token] of tokens.entries()) {
    if (!Number.isInteger(token) || token < 0 || token >= vocabSize) {
      throw invalid(`token ${i} is ${token}, but ids of this model go from 0 to ${vocabSize - 1}`);
    }
  }
}

/** @throws context-overflow where prompt and answer together are longer than the context */
export function checkContext(model: LoadedModel, promptTokens: number, maxNewTokens: number): void {
  const { contextLength } = model.info;
  if (promptTokens + maxNewTokens <= contextLength) return;
  throw new EngineError(
    "context-overflow",
    `The prompt has ${promptTokens} tokens and the answer may take ${maxNewTokens}, but the context holds ${contextLength}. Shorten the conversation, ask for less, or load the model with a larger contextLength.`,
    { details: { promptTokens, maxNewTokens, contextLength } },
  );
}

const invalid = (problem: string) =>
  new EngineError("request-invalid", `The request cannot run: ${problem}.`);

function createClock(promptTokens: number) {
  const started = performance.now();
  let first = 0;
  let last = 0;
  let newTokens = 0;
  const rate = (tokens: number, ms: number) => (ms > 0 ? (tokens * 1000) / ms : 0);
  return {
    tick(): void {
      last = performance.now();
      if (newTokens === 0) first = last;
      newTokens += 1;
    },
    stats(): GenerateStats {
      const toFirst = newTokens === 0 ? 0 : first - started;
      return {
        promptTokens,
        newTokens,
        timeToFirstTokenMs: toFirst,
        prefillTokensPerSecond: rate(promptTokens, toFirst),
        decodeTokensPerSecond: rate(newTokens - 1, last - first),
      };
    },
  };
}
