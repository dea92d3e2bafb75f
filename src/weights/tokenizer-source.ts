import { generationConfigName } from "../format/config.ts";
import type { CheckpointFiles } from "./types.ts";

export const tokenizerName = "tokenizer.json";

/** Files about text. OpenAI's `original/` folder lacks them: they lie in the folder above it, or anywhere else. */
export const textFileNames: readonly string[] = [
  tokenizerName,
  "tokenizer_config.json",
  generationConfigName,
];

/** The folder that OpenAI's own layout is published in, inside one in Hugging Face's layout. */
export const originalFolderName = "original";

/** The same checkpoint, with the files about text that it lacks taken from `other`. */
export function withTokenizerFrom<T extends CheckpointFiles>(
  files: T,
  other: Pick<CheckpointFiles, "readText">,
): T {
  return {
    ...files,
    async readText(name, signal) {
      const text = await files.readText(name, signal);
      return text === undefined && textFileNames.includes(name) ? other.readText(name, signal) : text;
    },
  };
}
