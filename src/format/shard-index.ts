import { isPlainFileName } from "./file-name.ts";
import { invalid, show } from "./invalid.ts";
import { parseJsonText } from "./json-text.ts";

/** Name of the index of a checkpoint in several files. */
export const shardIndexName = "model.safetensors.index.json";
/** Name of the weights of a checkpoint in one file, which has no index. */
export const singleShardName = "model.safetensors";

const maxTensors = 200_000;
const maxFiles = 1_000;

/** A model.safetensors.index.json, checked. */
export interface ShardIndex {
  /** Shard file names in the order in which the index first names them. */
  readonly files: readonly string[];
  /** Shard file of each tensor. */
  readonly fileOfTensor: ReadonlyMap<string, string>;
}

/**
 * Parses model.safetensors.index.json. Shard names are followed as they are (OpenAI's count from 0 with a
 * denominator one too small), but must be plain names inside the folder.
 * @throws checkpoint-invalid
 */
export function parseShardIndex(text: string): ShardIndex {
  const json = parseJsonText(shardIndexName, text);
  const map = typeof json === "object" && json !== null && "weight_map" in json ? json.weight_map : undefined;
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw invalid(`${shardIndexName}: weight_map must be an object, but is ${show(map)}.`);
  }
  const fileOfTensor = new Map<string, string>();
  const files = new Set<string>();
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== "string" || !isPlainFileName(file) || !file.endsWith(".safetensors")) {
      throw invalid(
        `${shardIndexName}: tensor ${tensor} is mapped to ${show(file)}; expected the plain name of a .safetensors file.`,
        { tensor },
      );
    }
    fileOfTensor.set(tensor, file);
    files.add(file);
  }
  if (fileOfTensor.size === 0) throw invalid(`${shardIndexName}: weight_map is empty.`);
  if (fileOfTensor.size > maxTensors || files.size > maxFiles) {
    throw invalid(
      `${shardIndexName} names ${fileOfTensor.size} tensors in ${files.size} files; at most ${maxTensors} in ${maxFiles} are accepted.`,
    );
  }
  return { files: [...files], fileOfTensor };
}
