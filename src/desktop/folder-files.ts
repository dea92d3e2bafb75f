import { existsSync, statSync } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { EngineError, throwIfAborted } from "../errors.ts";
import { configName } from "../format/config.ts";
import { isPlainFileName } from "../format/file-name.ts";
import type { CheckpointFiles } from "../weights/types.ts";

/**
 * A checkpoint folder on disk. Files are opened for each read and closed again, so nothing needs disposing.
 * @throws checkpoint-invalid where `dir` is not a folder or has no config.json
 */
export function createFolderFiles(dir: string): CheckpointFiles {
  const root = resolve(dir);
  checkFolder(root);
  const pathOf = (name: string) => {
    if (isPlainFileName(name)) return join(root, name);
    throw new EngineError("request-invalid", `"${name}" is not a plain file name.`, {
      details: { file: name },
    });
  };
  return {
    id: root,
    async readText(name, signal) {
      throwIfAborted(signal);
      const bytes = await readFile(pathOf(name)).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw unreadable(root, name, error);
      });
      return bytes === undefined ? undefined : decode(root, name, bytes);
    },
    async sizeBytes(name, signal) {
      throwIfAborted(signal);
      const stats = await stat(pathOf(name)).catch((error: unknown) => {
        throw unreadable(root, name, error);
      });
      return stats.size;
    },
    async read(name, startBytes, endBytes, signal) {
      throwIfAborted(signal);
      const file = await open(pathOf(name)).catch((error: unknown) => {
        throw unreadable(root, name, error);
      });
      try {
        const target = new Uint8Array(endBytes - startBytes);
        let filled = 0;
        while (filled < target.byteLength) {
          throwIfAborted(signal);
          const { bytesRead } = await file.read(
            target,
            filled,
            target.byteLength - filled,
            startBytes + filled,
          );
          if (bytesRead === 0) throw endsEarly(root, name, startBytes + filled, endBytes);
          filled += bytesRead;
        }
        return target;
      } finally {
        await file.close();
      }
    },
  };
}

function checkFolder(root: string): void {
  const stats = statSync(root, { throwIfNoEntry: false });
  const what = stats === undefined ? "does not exist" : stats.isDirectory() ? undefined : "is not a folder";
  const problem = what ?? (existsSync(join(root, configName)) ? undefined : `has no ${configName}`);
  if (problem === undefined) return;
  throw new EngineError(
    "checkpoint-invalid",
    `${root} ${problem}; expected the folder of a gpt-oss checkpoint (config.json, tokenizer.json, *.safetensors).`,
    { details: { folder: root } },
  );
}

function decode(root: string, name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw invalidFile(root, name, "is not UTF-8 text", cause);
  }
}

function unreadable(root: string, name: string, error: unknown): EngineError {
  if (isMissing(error)) return invalidFile(root, name, "does not exist", error);
  return invalidFile(
    root,
    name,
    `cannot be read (${error instanceof Error ? error.message : String(error)})`,
    error,
  );
}

function endsEarly(root: string, name: string, endBytes: number, wantedBytes: number): EngineError {
  return invalidFile(root, name, `ends at byte ${endBytes}, expected ${wantedBytes} at least`);
}

function invalidFile(root: string, name: string, what: string, cause?: unknown): EngineError {
  return new EngineError("checkpoint-invalid", `${join(root, name)} ${what}.`, {
    details: { file: name },
    cause,
  });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
