import { throwIfAborted } from "../errors.ts";
import { startGeneration } from "../runtime/generate.ts";
import type { Guide } from "../runtime/guide.ts";
import type { LoadedModel } from "../runtime/loaded-model.ts";
import type { GenerateStats } from "../runtime/types.ts";
import { promptOf } from "./profile-model.ts";
import type { BenchOptions } from "./report.ts";

/** A generation that is timed. */
export interface Timed {
  /** For progress. */
  readonly what: string;
  readonly promptTokens: number;
  readonly newTokens: number;
  /** Made anew for each run. Default: the whole vocabulary may come. */
  readonly guide?: () => Guide;
}

/** Runs a generation once uncounted and then `runs` times, greedily and ignoring stop tokens. @throws aborted | device-lost */
export async function timeGenerations(
  model: LoadedModel,
  { what, promptTokens, newTokens, guide }: Timed,
  { runs = 5, onProgress = () => {}, signal }: BenchOptions,
): Promise<GenerateStats[]> {
  const stats: GenerateStats[] = [];
  for (let run = 0; run <= runs; run += 1) {
    onProgress(`${what}: ${run === 0 ? "warm-up" : `run ${run} of ${runs}`}`);
    const generation = startGeneration(model, promptOf(promptTokens, model.config.vocabSize), {
      maxNewTokens: newTokens,
      temperature: 0,
      stopTokens: [],
      ...(guide && { guide: guide() }),
      ...(signal && { signal }),
    });
    for await (const _token of generation);
    throwIfAborted(signal);
    if (run > 0) stats.push((await generation.result).stats);
  }
  return stats;
}
