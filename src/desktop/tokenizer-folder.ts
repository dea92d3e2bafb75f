import { readTokenizer, requireTokenizer } from "../runtime/read-tokenizer.ts";
import type { Tokenizer } from "../text/types.ts";
import { tokenizerName } from "../weights/tokenizer-source.ts";
import { nanoFolder } from "./embedded-model.ts";
import { createFolderFiles } from "./folder-files.ts";
import type { Options } from "./options.ts";

/**
 * `--tokenizer`: the tokenizer of a folder with tokenizer.json, or the embedded model's.
 * @throws request-invalid | checkpoint-invalid | tokenizer-invalid
 */
export async function tokenizerOf(options: Options): Promise<Tokenizer> {
  const name = options.required("tokenizer");
  const files = createFolderFiles(name === "nano" ? nanoFolder() : name, tokenizerName);
  return requireTokenizer(await readTokenizer(files, undefined), files.id);
}
