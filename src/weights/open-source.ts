import { EngineError } from "../errors.ts";
import { createHttpFiles } from "./http-files.ts";
import type { Fetch } from "./http-request.ts";
import { type CommitPins, openHubFiles } from "./hub-files.ts";
import { folderFiles } from "./picked-files.ts";
import type { PickedPurpose } from "./picked-folder.ts";
import { hubLocationOf, parseHubRepo } from "./source-spec.ts";
import type { HubLocation, ModelSource, SourceLocation } from "./source-types.ts";
import { withTokenizerFrom } from "./tokenizer-source.ts";
import type { RemoteFiles, TextSource } from "./types.ts";

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
    source.tokenizer === undefined ? undefined : await openTokenizer(source.tokenizer, services);
  const files = tokenizer === undefined ? named : withTokenizerFrom(named, tokenizer);
  const isFolder = "files" in source || "directory" in source;
  const isImport = isFolder && source.import === true;
  const from = isImport ? files : tokenizer;
  const laterTexts: TextSource | undefined = from && { replaces: isImport, readText: from.readText };
  return {
    files: laterTexts === undefined ? files : { ...files, laterTexts },
    stored: !isFolder || isImport,
  };
}

/** A repository's commit is not asked for before a text is: a model that is stored whole needs none. */
async function openTokenizer(
  location: SourceLocation,
  { pins: _pins, ...services }: SourceServices, // these stand for stored models
): Promise<Pick<RemoteFiles, "readText">> {
  const hub =
    "baseUrl" in location ? hubLocationOf(location.baseUrl) : "hf" in location ? location : undefined;
  if (hub === undefined) return openLocation(location, services, "tokenizer");
  parseHubRepo(hub.hf); // what is wrong with it shows at once
  let opening: Promise<RemoteFiles> | undefined;
  return {
    async readText(name, signal) {
      opening ??= openLocation(hub, services, "tokenizer");
      opening.catch(() => {
        opening = undefined;
      });
      return (await opening).readText(name, signal);
    },
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
  if ("stored" in location) return storedOnly(location.stored, purpose);
  if ("files" in location || "directory" in location) return folderFiles(location, purpose);
  const openHub = (hub: HubLocation) => openHubFiles({ location: hub, pins, storedAs, signal, ...fetching });
  if ("hf" in location) return openHub(location);
  const hub = hubLocationOf(location.baseUrl);
  return hub === undefined ? createHttpFiles({ baseUrl: location.baseUrl, ...fetching }) : openHub(hub);
}

/** A model that only the store has: whatever must come from elsewhere fails. */
function storedOnly(id: string, purpose: PickedPurpose): RemoteFiles {
  if (purpose === "tokenizer") {
    throw new EngineError(
      "request-invalid",
      `Models and adapters are stored, so ${id} cannot be the place of a ${purpose}.`,
    );
  }
  const fail = async (): Promise<never> => {
    throw new EngineError(
      "download-failed",
      `${id} is not whole in this browser's storage, and its id does not say where to get it. Import its folder again, or load it from its address.`,
      { details: { id } },
    );
  };
  return { id, readText: fail, stat: fail, sizeBytes: fail, read: fail, fetchRange: fail };
}
