import { throwIfAborted } from "../errors.ts";
import { readBuffer } from "../gpu/buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { encodeSteps, type Step, submit } from "../gpu/steps.ts";
import type { ModelPlan, PassRun } from "../model/plan-types.ts";
import { writePass } from "./passes.ts";

/** Logits [T, V] of every position through the prefill kernels. */
export async function prefillLogits(
  gpu: Gpu,
  plan: ModelPlan,
  vocabSize: number,
  tokens: readonly number[],
  signal?: AbortSignal,
): Promise<Float32Array> {
  const all = await plan.allLogits();
  const out = new Float32Array(tokens.length * vocabSize);
  const maxTokens = Math.min(all.maxTokens, plan.maxTokensPerPass);
  for (let position = 0; position < tokens.length; position += maxTokens) {
    throwIfAborted(signal);
    const part = tokens.slice(position, position + maxTokens);
    runPass(gpu, plan, part, position, [...plan.prefill, ...all.steps]);
    out.set(
      new Float32Array(await readBuffer(gpu, all.buffer, 0, part.length * vocabSize * 4)),
      position * vocabSize,
    );
  }
  return out;
}

/** Logits [T, V] of every position through the decode kernels, token by token. */
export async function decodeLogits(
  gpu: Gpu,
  plan: ModelPlan,
  vocabSize: number,
  tokens: readonly number[],
  signal?: AbortSignal,
): Promise<Float32Array> {
  const out = new Float32Array(tokens.length * vocabSize);
  for (const [position, token] of tokens.entries()) {
    throwIfAborted(signal);
    runPass(gpu, plan, [token], position, [...plan.decode, ...plan.head]);
    out.set(
      new Float32Array(await readBuffer(gpu, plan.buffers.logits, 0, vocabSize * 4)),
      position * vocabSize,
    );
  }
  return out;
}

function runPass(
  gpu: Gpu,
  plan: ModelPlan,
  tokens: readonly number[],
  position: number,
  steps: readonly Step<PassRun>[],
): void {
  const numTokens = tokens.length;
  writePass(gpu, plan, tokens, { position, numTokens });
  submit(gpu, "logits", (encoder) =>
    encodeSteps(encoder, steps, { numTokens, maxKeys: position + numTokens }, "logits"),
  );
}
