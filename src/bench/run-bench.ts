import type { Engine, EngineInfo } from "../runtime/types.ts";

export interface BenchOptions {
  /** Prompt lengths whose prefill is timed. */
  readonly promptTokens: readonly number[];
  /** Tokens decoded from an empty context. */
  readonly decodeTokens: number;
  /** Depth of the context at which decoding is timed as well. Default: not at all. */
  readonly depth?: number;
  /** Timed runs; the median is reported, after one run that is not. Default 5. */
  readonly runs?: number;
  readonly onProgress?: (sentence: string) => void;
}

export interface Rate {
  readonly tokens: number;
  /** Median over the runs. */
  readonly tokensPerSecond: number;
  readonly all: readonly number[];
}

/** What a benchmark found, as it is printed and copied. */
export interface BenchReport {
  readonly info: EngineInfo;
  /** From an empty context (a prompt of one token). */
  readonly decode: Rate;
  /** 64 tokens after a prompt of `depth` tokens. */
  readonly decodeAtDepth: (Rate & { readonly depth: number }) | undefined;
  readonly prefill: readonly Rate[];
  /** Median time from the call to the first token of a 32-token prompt, in ms. */
  readonly timeToFirstTokenMs: number;
}

/** Times decode and prefill of the loaded model, greedily and ignoring stop tokens. */
export async function runBench(
  engine: Engine,
  info: EngineInfo,
  options: BenchOptions,
): Promise<BenchReport> {
  const { runs = 5, onProgress = () => {} } = options;
  const median = (values: readonly number[]) =>
    [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  const prompt = (length: number) => Array.from({ length }, (_, i) => (i * 7919 + 11) % info.model.vocabSize);

  async function time(what: string, promptTokens: number, newTokens: number) {
    const stats = [];
    for (let run = 0; run <= runs; run += 1) {
      onProgress(`${what}: ${run === 0 ? "warm-up" : `run ${run} of ${runs}`}`);
      const generation = engine.generate(prompt(promptTokens), {
        maxNewTokens: newTokens,
        temperature: 0,
        stopTokens: [],
      });
      for await (const _token of generation);
      if (run > 0) stats.push((await generation.result).stats);
    }
    return stats;
  }
  const rate = (tokens: number, all: readonly number[]): Rate => ({
    tokens,
    tokensPerSecond: median(all),
    all,
  });

  const decode = await time(`decode ${options.decodeTokens}`, 1, options.decodeTokens);
  const prefill: Rate[] = [];
  for (const tokens of options.promptTokens) {
    const stats = await time(`prefill ${tokens}`, tokens, 1);
    prefill.push(
      rate(
        tokens,
        stats.map((s) => s.prefillTokensPerSecond),
      ),
    );
  }
  const { depth } = options;
  const deep = depth === undefined ? [] : await time(`decode at depth ${depth}`, depth, 64);
  const first = await time("first token of a 32-token prompt", 32, 1);
  return {
    info,
    decode: rate(
      options.decodeTokens,
      decode.map((s) => s.decodeTokensPerSecond),
    ),
    decodeAtDepth:
      depth === undefined
        ? undefined
        : {
            ...rate(
              64,
              deep.map((s) => s.decodeTokensPerSecond),
            ),
            depth,
          },
    prefill,
    timeToFirstTokenMs: median(first.map((s) => s.timeToFirstTokenMs)),
  };
}
