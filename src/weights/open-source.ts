import { EngineError } from "../errors.ts";
import { createHttpFiles } from "./http-files.ts";
import type { Fetch } from "./http-request.ts";
import { type CommitPins, openHubFiles } from "./hub-files.ts";
import { folderFiles } from "./picked-files.ts";
import type { PickedPurpose } from "./picked-folder.ts";
import { hubLocationOf } from "./source-spec.ts";
import type { ModelSource, SourceLocation } from "./source-types.ts";
import { withTokenizerFrom } from "./tokenizer-source.ts";
import type { RemoteFiles } from "./types.ts";

export interface SourceServices {
  /** Default: the global fetch. */
  readonly fetch?: Fetch;
  readonly pins?: CommitPins;
  readonly storedAs?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A source that can be read. */
export interface OpenedSource {
  /** Reads the source itself; a tokenizer from elsewhere is already among its files. */
  readonly files: RemoteFiles;
  /** True where the files are to be copied into the store before use; false for a folder that is read in place. */
  readonly stored: boolean;
}

/**
 * Opens the place of a checkpoint, and of its tokenizer where that is another. Downloads nothing but what a branch of a
 * repository stands for, and that only where no commit of it is stored.
 * @throws request-invalid | download-failed | checkpoint-invalid | aborted
 */
export async function openSource(source: ModelSource, services: SourceServices = {}): Promise<OpenedSource> {
  const own = await openLocation(source, { ...services, storedAs: source.id });
  const named: RemoteFiles = source.id === undefined ? own : { ...own, id: source.id };
  const tokenizer =
    source.tokenizer === undefined ? undefined : await openLocation(source.tokenizer, services, "tokenizer");
  return {
    files: tokenizer === undefined ? named : withTokenizerFrom(named, tokenizer),
    stored: isOnTheWeb(source) || source.import === true,
  };
}

/** The files of one place. @throws as `openSource` */
export async function openLocation(
  location: SourceLocation,
  services: SourceServices = {},
  purpose: PickedPurpose = "checkpoint",
): Promise<RemoteFiles> {
  const { fetch, pins, storedAs, signal } = services;
  const fetching = fetch === undefined ? {} : { fetch };
  if (!isOnTheWeb(location)) return folderFiles(location, purpose);
  const hub = "hf" in location ? location : hubLocationOf(location.baseUrl);
  if (hub !== undefined) return openHubFiles({ location: hub, pins, storedAs, signal, ...fetching });
  if ("baseUrl" in location) return createHttpFiles({ baseUrl: location.baseUrl, ...fetching });
  throw new EngineError("internal", "A source is neither an address nor a repository nor a folder.");
}

function isOnTheWeb(location: SourceLocation) {
  return "hf" in location || "baseUrl" in location;
}
