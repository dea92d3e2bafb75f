import { adapterConfigName, adapterWeightsName } from "../format/adapter-config.ts";
import { configName, generationConfigName } from "../format/config.ts";
import { shardIndexName, singleShardName } from "../format/shard-index.ts";
import type { CheckpointManifest } from "../format/types.ts";
import { readAdapterConfig } from "./lora-files.ts";
import { readConfig, readIndex, readManifest } from "./manifest.ts";
import { tokenizerName } from "./tokenizer-source.ts";
import type { CheckpointFiles } from "./types.ts";

/** What lies under one id in the store. */
export type StoredKind = "checkpoint" | "adapter";

/** Which files make up a checkpoint or an adapter, and what is checked of it before its large files are fetched. */
interface Contents {
  /** Small files that are stored with the large ones; those that are lacking are remembered as lacking. */
  readonly texts: readonly string[];
  /** The large files. @throws checkpoint-invalid where this is something else */
  largeFiles(files: CheckpointFiles, signal: AbortSignal | undefined): Promise<readonly string[]>;
  /** Reads the headers. @throws checkpoint-invalid */
  check(files: CheckpointFiles, signal: AbortSignal | undefined): Promise<CheckpointManifest | undefined>;
}

export const storedContents: Readonly<Record<StoredKind, Contents>> = {
  checkpoint: {
    texts: [configName, shardIndexName, tokenizerName, "tokenizer_config.json", generationConfigName],
    async largeFiles(files, signal) {
      await readConfig(files, signal); // before the index: a folder that is no checkpoint fails here, and says so
      return (await readIndex(files, signal))?.files ?? [singleShardName];
    },
    check: readManifest,
  },
  adapter: {
    texts: [adapterConfigName],
    async largeFiles(files, signal) {
      await readAdapterConfig(files, signal);
      return [adapterWeightsName];
    },
    check: async () => undefined, // what it must fit is the model that it is merged into
  },
};
