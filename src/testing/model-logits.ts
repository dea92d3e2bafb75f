import type { Gpu } from "../gpu/gpu.ts";
import { loadModel } from "../runtime/loaded-model.ts";
import { decodeLogits, prefillLogits } from "../runtime/logits.ts";
import type { LoadModelOptions } from "../runtime/plan-options.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { testGpu } from "./gpu-device.ts";

/** Loads a checkpoint, computes logits [T, V] of every position on each path asked for, and unloads. Default GPU: the tests'. */
export async function logitsOf<Path extends "prefill" | "decode">(
  files: CheckpointFiles,
  tokens: readonly number[],
  paths: readonly Path[],
  options: LoadModelOptions,
  given?: Gpu,
): Promise<Record<Path, Float32Array>> {
  const gpu = given ?? (await testGpu());
  const model = await loadModel(gpu, files, options);
  try {
    const logits = {} as Record<Path, Float32Array>;
    for (const path of paths) {
      const compute = path === "prefill" ? prefillLogits : decodeLogits;
      logits[path] = await compute(gpu, model.plan, model.config.vocabSize, tokens);
    }
    return logits;
  } finally {
    model.destroy();
  }
}
