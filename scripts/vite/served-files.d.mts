import type { Plugin } from "vite";

export interface ServedFilesOptions {
  /** The plugin's name. */
  readonly name: string;
  /** Folder of the addresses, relative to the page. */
  readonly urlFolder: string;
  /** Folder that holds the files. */
  readonly source: string;
  readonly files: readonly string[];
}

export function servedFiles(options: ServedFilesOptions): Plugin;
