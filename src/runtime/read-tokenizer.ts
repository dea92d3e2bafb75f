import { EngineError } from "../errors.ts";
import { parseJsonText } from "../format/json-text.ts";
import { createTokenizer } from "../text/tokenizer.ts";
import type { Tokenizer } from "../text/types.ts";
import type { CheckpointFiles } from "../weights/types.ts";

/** A checkpoint's tokenizer; undefined where it has no tokenizer.json. @throws tokenizer-invalid | checkpoint-invalid */
export async function readTokenizer(
  files: CheckpointFiles,
  signal: AbortSignal | undefined,
): Promise<Tokenizer | undefined> {
  const text = await files.readText("tokenizer.json", signal);
  if (text === undefined) return undefined;
  const config = await files.readText("tokenizer_config.json", signal);
  return createTokenizer(
    parseJsonText("tokenizer.json", text, 64_000_000),
    config === undefined ? undefined : parseJsonText("tokenizer_config.json", config),
  );
}

/** For requests that need text. @throws tokenizer-invalid where there is no tokenizer */
export function requireTokenizer(tokenizer: Tokenizer | undefined, id: string): Tokenizer {
  if (tokenizer !== undefined) return tokenizer;
  throw new EngineError(
    "tokenizer-invalid",
    `${id} has no tokenizer.json (OpenAI's original/ layout comes without), so it cannot chat; only token ids can be used with it. Give the tokenizer's place too: \`tokenizer\` of the source, or --tokenizer DIR.`,
  );
}
