import { droppedSource, inspectFolder, type SourceLocation } from "../../src/index.ts";
import { byId } from "../dom.ts";
import { type FolderView, folderView } from "./folder-view.ts";

type FolderLocation = Extract<SourceLocation, { readonly files: unknown } | { readonly directory: unknown }>;

/** A folder that the user gave, and what is in it. */
export interface GivenFolder {
  readonly location: FolderLocation;
  readonly view: FolderView;
}

/** Browsers with the File System Access API. */
interface DirectoryPickers {
  showDirectoryPicker?(options: { readonly mode: "read" | "readwrite" }): Promise<FileSystemDirectoryHandle>;
}

/** True where this browser lets a page write into a folder. */
export const canExport = (): boolean => "showDirectoryPicker" in globalThis;

/** Asks for a folder to write into; undefined where the user changed their mind. */
export async function pickFolderToWrite(): Promise<FileSystemDirectoryHandle | undefined> {
  const { showDirectoryPicker } = globalThis as DirectoryPickers;
  return unlessCancelled(showDirectoryPicker?.({ mode: "readwrite" }));
}

/** Asks for a folder to read, and looks into it; undefined where the user changed their mind. */
export async function pickFolder(): Promise<GivenFolder | undefined> {
  const { showDirectoryPicker } = globalThis as DirectoryPickers;
  if (showDirectoryPicker === undefined) {
    const files = await pickFiles();
    return files.length === 0 ? undefined : inspected({ files });
  }
  const directory = await unlessCancelled(showDirectoryPicker({ mode: "read" }));
  return directory === undefined ? undefined : inspected({ directory });
}

async function unlessCancelled<T>(picked: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await picked;
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") return undefined;
    throw error;
  }
}

async function inspected(location: FolderLocation): Promise<GivenFolder> {
  return { location, view: folderView(await inspectFolder(location)) };
}

/** The older way, which every browser has. */
function pickFiles(): Promise<readonly File[]> {
  const input = byId("folder-input", HTMLInputElement);
  input.value = "";
  return new Promise((resolve) => {
    const done = () => {
      input.removeEventListener("change", done);
      input.removeEventListener("cancel", done);
      resolve([...(input.files ?? [])]);
    };
    input.addEventListener("change", done);
    input.addEventListener("cancel", done);
    input.click();
  });
}

/** Takes folders that are dropped anywhere on the page. `take` is given a promise, since it may show a failure. */
export function acceptDrops(take: (folder: Promise<GivenFolder | undefined>) => void): void {
  // What another part of the page has taken is not for this one.
  const hasFiles = ({ dataTransfer, defaultPrevented }: DragEvent) =>
    !defaultPrevented && (dataTransfer?.types.includes("Files") ?? false);
  const mark = (isOver: boolean) => document.body.classList.toggle("drop-target", isOver);
  document.addEventListener("dragover", (event) => {
    const isOver = hasFiles(event);
    mark(isOver);
    if (isOver) event.preventDefault();
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) mark(false);
  });
  document.addEventListener("drop", (event) => {
    mark(false);
    if (!hasFiles(event) || event.dataTransfer === null) return;
    event.preventDefault();
    const dropped = droppedSource(event.dataTransfer.items); // its items are gone after this event
    take(
      dropped.then((source) => ("files" in source || "directory" in source ? inspected(source) : undefined)),
    );
  });
}
