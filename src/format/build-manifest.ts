import { invalid } from "./invalid.ts";
import { inHfLayout } from "./original-layout.ts";
import { type ShardIndex, shardIndexName } from "./shard-index.ts";
import { expertFormatOfNames } from "./tensor-names.ts";
import type { CheckpointManifest, ModelConfig, TensorEntry } from "./types.ts";
import { validateTensors } from "./validate-tensors.ts";

/** What was read of a checkpoint, before it is known to fit together. */
export interface ManifestParts {
  readonly config: ModelConfig;
  readonly files: readonly { readonly name: string; readonly sizeBytes: number }[];
  /** The tensors of all files. */
  readonly entries: readonly TensorEntry[];
  /** Absent for a checkpoint in one file. */
  readonly index?: ShardIndex;
}

/**
 * Checks that config, index and headers describe one model, in Hugging Face's layout or in OpenAI's own. How the experts are stored is taken from the
 * tensor names; config.json may be silent about it but must not say otherwise.
 * @throws checkpoint-invalid
 */
export function buildManifest(parts: ManifestParts): CheckpointManifest {
  if (parts.index !== undefined) checkIndex(parts.index, parts.entries);
  const entries = inHfLayout(parts.config, parts.entries);
  const config = withExpertFormat(parts.config, entries);
  return { config, files: parts.files, tensors: validateTensors(config, entries) };
}

function checkIndex(index: ShardIndex, entries: readonly TensorEntry[]): void {
  const seen = new Set<string>();
  for (const entry of entries) {
    const file = index.fileOfTensor.get(entry.name);
    if (file !== entry.file) {
      const claim = file === undefined ? "does not name it" : `puts it in ${file}`;
      throw invalid(`Tensor ${entry.name} is in ${entry.file}, but ${shardIndexName} ${claim}.`, {
        tensor: entry.name,
      });
    }
    seen.add(entry.name);
  }
  for (const [tensor, file] of index.fileOfTensor) {
    if (!seen.has(tensor)) {
      throw invalid(`${shardIndexName} puts tensor ${tensor} in ${file}, but that file does not have it.`, {
        tensor,
      });
    }
  }
}

function withExpertFormat(config: ModelConfig, entries: readonly TensorEntry[]): ModelConfig {
  const found = expertFormatOfNames(entries.map(({ name }) => name));
  if (found === "none") return config; // validateTensors then names what is missing
  if (found === "mixed") {
    throw invalid(
      "The checkpoint stores experts both as MXFP4 (…_proj_blocks, …_proj_scales) and as bf16 (…_proj); expected one of the two in every layer.",
    );
  }
  if (config.expertFormat === "mxfp4" && found === "bf16") {
    throw invalid(
      "config.json says the experts are MXFP4 (quantization_config), but the files store them as bf16 (…experts.gate_up_proj). Remove quantization_config from config.json if the checkpoint was merged to bf16.",
      { field: "quantization_config" },
    );
  }
  return { ...config, expertFormat: found };
}
