import type { ChunkStore } from "./chunk-store.ts";
import { downloadCheckpoint } from "./download.ts";
import { type IfUnchanged, openModelFiles } from "./open-checkpoint.ts";
import { openLocation, type SourceServices } from "./open-source.ts";
import type { SourceLocation } from "./source-types.ts";
import { storableSource } from "./storable-source.ts";
import type { CheckpointFiles } from "./types.ts";

/**
 * The files of a LoRA adapter: a picked folder is read in place, any other is stored like a model and read from there, so
 * that it needs no network the next time.
 * @param choose the store for what has this id
 * @throws download-failed | checkpoint-invalid | checksum-mismatch | storage-full | storage-failed | busy | aborted
 */
export async function openAdapter(
  location: SourceLocation,
  choose: (id: string) => Promise<ChunkStore>,
  services: SourceServices & { readonly ifUnchanged?: IfUnchanged | undefined },
): Promise<CheckpointFiles> {
  const remote = await openLocation(location, services, "adapter");
  if ("files" in location || "directory" in location) return remote;
  const store = await choose(remote.id);
  const { signal, ifUnchanged } = services;
  const asked = storableSource(location, remote.id);
  const model = await downloadCheckpoint({ remote, store, kind: "adapter", asked, signal }).finally(() =>
    store.release(remote.id),
  );
  return openModelFiles({ store, model, remote, verify: undefined, ifUnchanged });
}
