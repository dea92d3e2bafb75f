import {
  type ByteProgress,
  isEngineError,
  type StoredModelSummary,
  type VerifyReport,
} from "../../src/index.ts";
import type { ModelChoice } from "../model-choices.ts";
import type { SessionEngine } from "../session.ts";
import { type GivenFolder, pickFolder, pickFolderToWrite } from "./folder-picker.ts";
import type { Work } from "./progress-view.ts";
import type { StoredAction, StoredNote } from "./stored-list.ts";
import { sourceOf, storedName, verifyText } from "./stored-view.ts";

export interface StorageWorkOptions {
  readonly engine: () => SessionEngine;
  readonly chunkBytes: number | undefined;
  /** What relative addresses start from. */
  readonly pageUrl: string;
  /** Work begins, goes on, or (undefined) has ended. */
  readonly onWork: (work: Work | undefined) => void;
  readonly onNote: (id: string, note: StoredNote) => void;
  readonly onError: (error: unknown, onRetry: () => void) => void;
}

/** Work on the storage, one at a time: a second call does nothing while one runs. Nothing here rejects. */
export interface StorageWork {
  download(choice: ModelChoice): Promise<void>;
  run(action: Exclude<StoredAction, "load">, model: StoredModelSummary): Promise<void>;
  cancel(): void;
}

interface Running {
  readonly onProgress: (progress: ByteProgress) => void;
  readonly signal: AbortSignal;
}

export function createStorageWork(options: StorageWorkOptions): StorageWork {
  const { engine, chunkBytes, pageUrl, onWork, onNote, onError } = options;
  let current: AbortController | undefined;

  async function work(
    { kind, name }: Pick<Work, "kind" | "name">,
    task: (running: Running) => Promise<void>,
    onRetry: () => void,
  ): Promise<void> {
    if (current !== undefined) return;
    current = new AbortController();
    const { signal } = current;
    onWork({ kind, name, progress: undefined });
    try {
      await task({ onProgress: (progress) => onWork({ kind, name, progress }), signal });
    } catch (error) {
      if (!isEngineError(error, "aborted")) onError(error, onRetry);
    } finally {
      current = undefined;
      onWork(undefined);
    }
  }

  function noteReport(id: string, report: VerifyReport): void {
    onNote(id, { text: verifyText(report), isBad: !report.ok });
  }

  async function verify(model: StoredModelSummary, options: Running): Promise<void> {
    noteReport(model.id, await engine().verifyModel(model.id, options));
  }

  /** A folder's model has nowhere to be fetched from: the user is asked for the folder. */
  async function repair(model: StoredModelSummary, folder: GivenFolder | undefined, options: Running) {
    const source = folder === undefined ? {} : { source: folder.location };
    noteReport(model.id, await engine().repairModel(model.id, { ...options, ...source }));
  }

  async function exportTo(model: StoredModelSummary, folder: FileSystemDirectoryHandle, options: Running) {
    await engine().exportModel(model.id, folder, options);
    onNote(model.id, { text: `Exported into the folder ${folder.name}.`, isBad: false });
  }

  async function remove(model: StoredModelSummary): Promise<void> {
    await engine().deleteModel(model.id);
  }

  async function run(action: Exclude<StoredAction, "load">, model: StoredModelSummary): Promise<void> {
    const name = storedName(model.id, pageUrl);
    const again = () => void run(action, model);
    try {
      switch (action) {
        case "verify":
          return await work({ kind: "verify", name }, (options) => verify(model, options), again);
        case "repair": {
          const folder = sourceOf(model) === undefined ? await pickFolder() : undefined;
          if (sourceOf(model) === undefined && folder === undefined) return;
          return await work({ kind: "repair", name }, (options) => repair(model, folder, options), again);
        }
        case "export": {
          const folder = await pickFolderToWrite();
          if (folder === undefined) return;
          return await work({ kind: "export", name }, (options) => exportTo(model, folder, options), again);
        }
        case "delete":
          return await work({ kind: "delete", name }, () => remove(model), again);
        default:
          return action satisfies never;
      }
    } catch (error) {
      onError(error, again); // of picking a folder
    }
  }

  function download(choice: ModelChoice): Promise<void> {
    const { name, source, settings } = choice;
    const isFolder = "files" in source || "directory" in source;
    const store = settings?.store === undefined ? {} : { store: settings.store };
    return work(
      { kind: isFolder ? "copy" : "download", name },
      async (running) => {
        await engine().download(
          { ...source, ...(chunkBytes !== undefined && { chunkBytes }) },
          { ...store, ...running },
        );
      },
      () => void download(choice),
    );
  }

  return {
    download,
    run,
    cancel: () => current?.abort(),
  };
}
