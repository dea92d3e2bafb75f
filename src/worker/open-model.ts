import { EngineError } from "../errors.ts";
import type { CheckpointManifest } from "../format/types.ts";
import type { OpenHashPort } from "../weights/hashing/protocol.ts";
import type { CommitPins } from "../weights/hub-files.ts";
import { withLora } from "../weights/lora-files.ts";
import { openAdapter } from "../weights/open-adapter.ts";
import { type OpenedCheckpoint, openCheckpoint } from "../weights/open-checkpoint.ts";
import { type OpenedSource, openSource } from "../weights/open-source.ts";
import type { Pause } from "../weights/pause.ts";
import type { ModelSource, SourceLocation } from "../weights/source-types.ts";
import { storableSource } from "../weights/storable-source.ts";
import type { StorageOptions } from "../weights/storage-options.ts";
import { wantsTexts } from "../weights/stored-texts.ts";
import type { Stores } from "../weights/stores.ts";
import type { ByteProgress, CheckpointFiles } from "../weights/types.ts";
import { ifUnchangedElsewhere } from "./if-unchanged.ts";
import { type Free, type ModelLocks, type OtherTabPolicy, takenOver } from "./model-locks.ts";
import { resolveStored } from "./require-stored.ts";
import { sharedDownload, watchOtherTab } from "./shared-download.ts";
import type { SharedProgress } from "./shared-progress.ts";

export interface OpenModelOptions extends StorageOptions {
  /** For the GPU: one tab at a time. Otherwise the model is only downloaded. */
  readonly forEngine: boolean;
  /** Of the tab with the model on the GPU, and of the one that downloads it; `downloadPolicy` says what is for which. */
  readonly otherTab?: OtherTabPolicy;
  readonly onProgress: (progress: ByteProgress) => void;
  /** Told what the checkpoint is before its weights are fetched; what it throws ends the download. */
  readonly onManifest: (manifest: CheckpointManifest) => void;
  /** Another tab took the model over: what is on the GPU must go. */
  readonly onLost: (error: EngineError) => void;
  readonly pause: Pause;
  /** Told the id of a model or adapter once this tab is the one that downloads it. */
  readonly onLead?: (id: string) => void;
  readonly signal: AbortSignal;
}

export interface OpenedModel {
  readonly id: string;
  readonly files: CheckpointFiles;
  /** Gives the model back to other tabs; resolves once they can take it. */
  release(): Promise<void>;
}

export interface OpenModelServices {
  readonly stores: Stores;
  readonly locks: ModelLocks;
  readonly shared: SharedProgress;
  readonly pins: CommitPins;
  /** Absent: downloads hash whole files on the engine's own thread. */
  readonly openHashPort?: OpenHashPort;
}

/**
 * Opens a model: resolves its source, takes it from other tabs or waits for them, fetches what is missing, and opens it
 * from storage. Waiting, it reports the other tab's progress.
 */
export async function openModel(
  asked: ModelSource,
  services: OpenModelServices,
  options: OpenModelOptions,
): Promise<OpenedModel> {
  checkNumbers(asked, options);
  const source = await resolveStored(services.stores, asked);
  const opened = await openSource(source, { pins: services.pins, signal: options.signal });
  const { id } = opened.files;
  const model = { ...options, onProgress: neverLess(options.onProgress) };
  const release = options.forEngine ? await takeEngine(services, id, model) : async () => {};
  let stored: OpenedCheckpoint | undefined;
  try {
    // The adapter first: it is small, and what is wrong with its place should show before a download.
    const lora = source.lora && (await fetchAdapter(source.lora, services, options));
    stored = opened.stored ? await fetchAndOpen(source, opened, services, model) : undefined;
    const files = stored?.files ?? opened.files;
    if (lora === undefined) return { id, files, release };
    return {
      id,
      files: await withLora(files, lora, { manifest: stored?.manifest, signal: options.signal }),
      release,
    };
  } catch (error) {
    await stored?.files.close?.();
    await release();
    throw error;
  }
}

async function fetchAndOpen(
  source: ModelSource,
  { files: remote }: OpenedSource,
  services: OpenModelServices,
  options: OpenModelOptions,
): Promise<OpenedCheckpoint> {
  const { stores } = services;
  const { pause, connections, verify, onManifest } = options;
  const { id } = remote;
  const open = async ({ onProgress, signal }: Pick<OpenModelOptions, "onProgress" | "signal">) => {
    const store = await stores.choose(id, options.store);
    const { chunkBytes } = source;
    return openCheckpoint({
      ...{ source: remote, store, onProgress, onManifest, signal, pause, connections, verify, chunkBytes },
      openHashPort: services.openHashPort,
      ifUnchanged: ifUnchangedElsewhere(services.locks),
      listStored: stores.list,
      asked: storableSource(source, id),
    });
  };
  const found = (await stores.find(id))?.model;
  if (found?.ready && !wantsTexts(found, remote.laterTexts)) return open(options);
  return sharedDownload(services, id, { ...options, policy: downloadPolicy(options) }, open);
}

/** The adapter, stored first like a model where it lies on the web. */
function fetchAdapter(
  location: SourceLocation,
  { stores, pins, openHashPort, ...services }: OpenModelServices,
  options: OpenModelOptions,
): Promise<CheckpointFiles> {
  const { signal, pause, connections } = options;
  return openAdapter(
    location,
    {
      choose: (id) => stores.choose(id, options.store),
      download: (id, work) =>
        sharedDownload(
          services,
          id,
          { ...options, policy: downloadPolicy(options), onProgress: neverLess(options.onProgress) },
          (run) => work({ ...run, pause, connections, openHashPort, listStored: stores.list }),
        ),
    },
    { pins, signal, ifUnchanged: ifUnchangedElsewhere(services.locks) },
  );
}

/** A load that is refused or shares is so about the GPU: for a download, which ends by itself and serves it too, it waits. */
function downloadPolicy({
  forEngine,
  otherTab = "wait",
}: Pick<OpenModelOptions, "forEngine" | "otherTab">): Exclude<OtherTabPolicy, "share"> {
  if (otherTab === "share" || (otherTab === "refuse" && forEngine)) return "wait";
  return otherTab;
}

async function takeEngine(
  { locks, shared }: OpenModelServices,
  id: string,
  options: OpenModelOptions,
): Promise<Free> {
  const other = watchOtherTab(shared, id, options);
  const { signal, otherTab: policy = "wait" } = options;
  const onLost = () => options.onLost(takenOver(id));
  try {
    const free = await locks.hold("engine", id, { onLost, signal, policy, onWaiting: other.onWaiting });
    other.onTaken();
    return free;
  } finally {
    other.stop();
  }
}

/** Keeps a download's figures from falling back where this tab goes on with what another one had begun. */
function neverLess(onProgress: (progress: ByteProgress) => void): (progress: ByteProgress) => void {
  let most = 0;
  return (progress) => {
    if (progress.phase !== "download") return onProgress(progress);
    most = Math.max(most, progress.loadedBytes);
    onProgress({ ...progress, loadedBytes: Math.min(most, progress.totalBytes) });
  };
}

const minChunkBytes = 4 * 1024 * 1024;
const maxChunkBytes = 32 * 1024 * 1024;
const maxConnections = 16;

function checkNumbers({ chunkBytes }: ModelSource, { connections }: StorageOptions): void {
  checkInteger("chunkBytes", chunkBytes, minChunkBytes, maxChunkBytes);
  checkInteger("connections", connections, 1, maxConnections);
}

function checkInteger(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return;
  throw new EngineError(
    "request-invalid",
    `${name} is ${value}; it must be an integer from ${least} to ${most}.`,
    {
      details: { [name]: value },
    },
  );
}
