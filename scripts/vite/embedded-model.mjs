import { join } from "node:path";
import { root } from "../lib/root.mjs";
import { servedFiles } from "./served-files.mjs";

/** URL folder of the embedded model, relative to the page. */
const urlFolder = "models/gpt-oss-nano";

/** The checkpoint files that are needed at run time; card, samples and references stay in the repository. */
export const embeddedModelFiles = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "model.safetensors",
];

/**
 * Vite plugin: the embedded model lies at `models/gpt-oss-nano/` beside the page, in dev and in the build.
 * @type {typeof import("./embedded-model.mjs").embeddedModel}
 */
export function embeddedModel(source = join(root, urlFolder)) {
  return servedFiles({ name: "embedded-model", urlFolder, source, files: embeddedModelFiles });
}
