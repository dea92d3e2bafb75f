import { EngineError } from "../errors.ts";
import { buildManifest } from "../format/build-manifest.ts";
import { configName, parseModelConfig } from "../format/config.ts";
import { parseJsonText } from "../format/json-text.ts";
import { lengthPrefixBytes, parseSafetensorsHeader, safetensorsHeaderLength } from "../format/safetensors.ts";
import { parseShardIndex, type ShardIndex, shardIndexName, singleShardName } from "../format/shard-index.ts";
import type { CheckpointManifest, ModelConfig, TensorEntry } from "../format/types.ts";
import type { CheckpointFiles } from "./types.ts";

/** First read of a weight file: holds the whole header of every published shard, so one request does. */
const firstReadBytes = 64 * 1024;

/**
 * Reads config.json, the index (or the single model.safetensors) and every header, and checks that they fit
 * together. Reads no tensor data.
 * @throws checkpoint-invalid | aborted | what `files` throws
 */
export async function readManifest(
  files: CheckpointFiles,
  signal?: AbortSignal,
): Promise<CheckpointManifest> {
  const config = await readConfig(files, signal);
  const index = await readIndex(files, signal);
  const names = index?.files ?? [singleShardName];
  const headers: Header[] = [];
  // One after another: a read from the chunk store holds a whole chunk in memory.
  for (const name of names) headers.push(await readHeader(files, name, signal));
  return buildManifest({
    config,
    files: headers.map(({ name, sizeBytes }) => ({ name, sizeBytes })),
    entries: headers.flatMap(({ entries }) => entries),
    ...(index && { index }),
  });
}

/** The checked config.json. @throws checkpoint-invalid | what `files` throws */
export async function readConfig(files: CheckpointFiles, signal?: AbortSignal): Promise<ModelConfig> {
  const text = await files.readText(configName, signal);
  if (text === undefined) {
    throw new EngineError(
      "checkpoint-invalid",
      `${files.id} has no ${configName}; expected a folder in the Hugging Face layout of gpt-oss (config.json, tokenizer.json, *.safetensors).`,
      { details: { file: configName, source: files.id } },
    );
  }
  return parseModelConfig(parseJsonText(`${files.id.replace(/\/$/, "")}/${configName}`, text));
}

/** The checked shard index; `undefined` for a checkpoint in one file. @throws checkpoint-invalid */
export async function readIndex(
  files: CheckpointFiles,
  signal?: AbortSignal,
): Promise<ShardIndex | undefined> {
  const text = await files.readText(shardIndexName, signal);
  return text === undefined ? undefined : parseShardIndex(text);
}

interface Header {
  readonly name: string;
  readonly sizeBytes: number;
  readonly entries: TensorEntry[];
}

async function readHeader(files: CheckpointFiles, name: string, signal?: AbortSignal): Promise<Header> {
  const sizeBytes = await files.sizeBytes(name, signal);
  let bytes = await files.read(name, 0, Math.min(sizeBytes, firstReadBytes), signal);
  const headerBytes = lengthPrefixBytes + safetensorsHeaderLength(bytes, name, sizeBytes);
  if (headerBytes > bytes.byteLength) bytes = await files.read(name, 0, headerBytes, signal);
  return { name, sizeBytes, entries: parseSafetensorsHeader(name, bytes, sizeBytes) };
}
