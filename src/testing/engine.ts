import { createFolderFiles } from "../desktop/folder-files.ts";
import type { Engine, FinishReason, GenerateOptions } from "../runtime/types.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { type ReferencePrompt, readReference, repositoryPath } from "./reference.ts";

/** One of the repository's reference checkpoints and its first long prompt. */
export function fixture(
  name: string,
  promptIndex: number,
): { files: CheckpointFiles; prompt: ReferencePrompt } {
  const folder = repositoryPath(`fixtures/${name}`);
  const prompt = readReference(folder)[promptIndex];
  if (prompt === undefined) throw new Error(`${name} has no prompt ${promptIndex}`);
  return { files: createFolderFiles(folder), prompt };
}

export interface Answer {
  readonly tokens: number[];
  readonly finishReason: FinishReason;
}

/** Runs a generation to its end. Greedy and without stop tokens unless the options say otherwise. */
export async function generate(
  engine: Engine,
  prompt: readonly number[],
  options: GenerateOptions,
  onToken: (tokens: readonly number[]) => void = () => {},
): Promise<Answer> {
  const generation = engine.generate(prompt, { temperature: 0, stopTokens: [], ...options });
  const tokens: number[] = [];
  for await (const token of generation) {
    tokens.push(token);
    onToken(tokens);
  }
  return { tokens, finishReason: (await generation.result).finishReason };
}
