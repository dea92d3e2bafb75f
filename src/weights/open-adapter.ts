import { adapterId, placeOfAdapter } from "./adapter-id.ts";
import type { ChunkStore } from "./chunk-store.ts";
import { type DownloadOptions, downloadCheckpoint } from "./download.ts";
import { type IfUnchanged, openModelFiles } from "./open-checkpoint.ts";
import { openLocation, type SourceServices } from "./open-source.ts";
import type { SourceLocation } from "./source-types.ts";
import { storableSource } from "./storable-source.ts";
import type { CheckpointFiles, RemoteFiles } from "./types.ts";

/** How an adapter is fetched: what a download may be told besides where it comes from and goes to. */
export type AdapterRun = Pick<
  DownloadOptions,
  "onProgress" | "signal" | "pause" | "connections" | "listStored" | "openHashPort"
>;

export interface AdapterStorage {
  /** The store for what has this id. */
  choose(id: string): Promise<ChunkStore>;
  /** Runs the download of what has this id; default: at once. */
  download?<T>(id: string, work: (run: AdapterRun) => Promise<T>): Promise<T>;
}

/**
 * The files of a LoRA adapter: a picked folder is read in place, any other is stored like a model and read from there, so
 * that it needs no network the next time. Their id is the adapter's place; it is stored as `adapterId` of that.
 * @throws download-failed | checkpoint-invalid | checksum-mismatch | storage-full | storage-failed | busy | aborted
 */
export async function openAdapter(
  location: SourceLocation,
  { choose, download = (_, work) => work({}) }: AdapterStorage,
  services: SourceServices & { readonly ifUnchanged?: IfUnchanged | undefined },
): Promise<CheckpointFiles> {
  const found = await openLocation(location, services, "adapter");
  if ("files" in location || "directory" in location) return found;
  const id = await storedId(found.id, choose);
  const remote: RemoteFiles = { ...found, id };
  const { signal, ifUnchanged } = services;
  const asked = storableSource(location, placeOfAdapter(id));
  const fetchInto = async (run: AdapterRun) => {
    const store = await choose(id);
    return downloadCheckpoint({ signal, ...run, remote, store, kind: "adapter", asked }).finally(() =>
      store.release(id),
    );
  };
  const known = await (await choose(id)).getModel(id);
  const model = known?.ready && known.kind === "adapter" ? known : await download(id, fetchInto);
  const files = openModelFiles({ store: await choose(id), model, remote, verify: undefined, ifUnchanged });
  return { ...files, id: placeOfAdapter(id) };
}

/** An adapter that an older version stored under its place stays there. */
async function storedId(place: string, choose: AdapterStorage["choose"]): Promise<string> {
  const older = await (await choose(place)).getModel(place);
  return older?.kind === "adapter" ? place : adapterId(place);
}
