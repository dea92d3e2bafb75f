import { existsSync, statSync } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { EngineError, throwIfAborted } from "../errors.ts";
import { adapterConfigName } from "../format/adapter-config.ts";
import { configName } from "../format/config.ts";
import { isPlainFileName } from "../format/file-name.ts";
import { originalFolderName, tokenizerName, withTokenizerFrom } from "../weights/tokenizer-source.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { createOpenFiles } from "./open-files.ts";

/** What a folder must hold, by the file it is known by. */
const contents = {
  [configName]: "the folder of a gpt-oss checkpoint (config.json, tokenizer.json, *.safetensors)",
  [tokenizerName]: "a folder with the tokenizer of gpt-oss",
  [adapterConfigName]: "the folder of a LoRA adapter (adapter_config.json, adapter_model.safetensors)",
} as const;

/**
 * A checkpoint folder on disk, or with another `mark` the folder of a tokenizer or an adapter. A file is
 * open while it is read, so nothing needs disposing. A folder `original` takes its tokenizer from the one above.
 * @throws checkpoint-invalid where `dir` is not a folder or has no `mark`
 */
export function createFolderFiles(dir: string, mark: keyof typeof contents = configName): CheckpointFiles {
  const root = resolve(dir);
  checkFolder(root, mark);
  const above =
    basename(root) === originalFolderName && existsSync(join(root, "..", tokenizerName))
      ? createFolderFiles(join(root, ".."), tokenizerName)
      : undefined;
  const files = openFolder(root);
  return above === undefined ? files : withTokenizerFrom(files, above);
}

function openFolder(root: string): CheckpointFiles {
  const pathOf = (name: string) => {
    if (isPlainFileName(name)) return join(root, name);
    throw new EngineError("request-invalid", `"${name}" is not a plain file name.`, {
      details: { file: name },
    });
  };
  const withFile = createOpenFiles((name) =>
    open(pathOf(name)).catch((error: unknown) => {
      throw unreadable(root, name, error);
    }),
  );
  /** Node's threads read right into `target`: it must be memory that stays, as `Staging.fill` sees to. */
  const readInto: CheckpointFiles["readInto"] = async (name, startBytes, target, signal) => {
    throwIfAborted(signal);
    await withFile(name, async (file) => {
      for (let filled = 0; filled < target.byteLength; ) {
        throwIfAborted(signal);
        const position = startBytes + filled;
        const { bytesRead } = await file
          .read(target, filled, target.byteLength - filled, position)
          .catch((error: unknown) => {
            throw unreadable(root, name, error);
          });
        if (bytesRead === 0) throw endsEarly(root, name, position, startBytes + target.byteLength);
        filled += bytesRead;
      }
    });
    throwIfAborted(signal);
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
      const target = new Uint8Array(endBytes - startBytes);
      await readInto(name, startBytes, target, signal);
      return target;
    },
    readInto,
  };
}

function checkFolder(root: string, mark: keyof typeof contents): void {
  const stats = statSync(root, { throwIfNoEntry: false });
  const has = (...path: string[]) => existsSync(join(root, ...path));
  const missing = `has no ${mark}${has(originalFolderName, mark) ? `, but ${originalFolderName}/${mark}: give that folder` : ""}`;
  const what = stats === undefined ? "does not exist" : stats.isDirectory() ? undefined : "is not a folder";
  const problem = what ?? (has(mark) ? undefined : missing);
  if (problem === undefined) return;
  const hint = stats === undefined ? " Only folders on disk are read here, nothing is downloaded." : "";
  throw new EngineError("checkpoint-invalid", `${root} ${problem}; expected ${contents[mark]}.${hint}`, {
    details: { folder: root },
  });
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
