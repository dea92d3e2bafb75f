import { constants } from "node:fs";
import { type FileHandle, open, rm, stat } from "node:fs/promises";
import { usageError } from "./exit.ts";

/** A file that is open for its contents to come. */
export interface OutputFile {
  /** Replaces what the file held, and closes it. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes it as it was before: a file that was not there is removed again. Harmless after `write`. */
  discard(): Promise<void>;
}

/** Opens `path` for writing, so that a place that cannot be written shows before the work. @throws request-invalid */
export async function openOutputFile(option: string, path: string): Promise<OutputFile> {
  const before = await stat(path).catch(() => undefined);
  if (before?.isDirectory()) throw usageError(`--${option} must be a file, but ${path} is a folder.`);
  let file: FileHandle | undefined = await open(path, constants.O_WRONLY | constants.O_CREAT).catch(
    (error: unknown) => {
      throw usageError(`--${option} names ${path}, which cannot be written: ${reason(error)}.`);
    },
  );
  return {
    async write(bytes) {
      if (before === undefined || before.isFile()) await file?.truncate(); // pipes and devices cannot be cut
      await file?.writeFile(bytes);
      await file?.close();
      file = undefined;
    },
    async discard() {
      if (file === undefined) return;
      await file.close();
      file = undefined;
      if (before === undefined) await rm(path, { force: true });
    },
  };
}

/** What the system says, without the path, which it repeats. */
function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "its folder does not exist";
  const text = error instanceof Error ? error.message : String(error);
  return /^\w+: ([^,]+)/.exec(text)?.[1] ?? text;
}
