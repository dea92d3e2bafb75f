import { sha256 } from "../chunks.ts";

/** Every model's folder begins so. */
export const folderPrefix = "model-";

/** In place of an id: a folder whose record was lost, by its name. */
const folderIdPrefix = "lost:";

export const isFolderId = (id: string): boolean =>
  id.startsWith(folderIdPrefix + folderPrefix) && !id.includes("/");

export const folderId = (name: string): string => folderIdPrefix + name;

/** A model's folder. Ids are addresses, which folder names cannot be. */
export async function folderName(id: string): Promise<string> {
  if (isFolderId(id)) return id.slice(folderIdPrefix.length);
  return folderPrefix + (await sha256(new TextEncoder().encode(id))).slice(0, 32);
}

const dataPrefix = "data-";

export const dataName = (file: string): string => dataPrefix + encodeURIComponent(file);
export const textName = (name: string): string => `text-${encodeURIComponent(name)}`;

/** The checkpoint file that a file holds; undefined where it holds none. */
export const fileOfData = (name: string): string | undefined =>
  name.startsWith(dataPrefix) ? decodeURIComponent(name.slice(dataPrefix.length)) : undefined;

/** What a folder holds. (The DOM types that this project compiles with leave the iteration out.) */
export function entriesOf(folder: FileSystemDirectoryHandle): AsyncIterable<[string, FileSystemHandle]> {
  return (folder as unknown as { entries(): AsyncIterable<[string, FileSystemHandle]> }).entries();
}
