import { existsSync } from "node:fs";
import { mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSyntheticFiles } from "../../src/bench/synthetic-files.ts";
import type { ProofShape } from "./shape.ts";

const pieceBytes = 64 * 1024 * 1024;
const markName = ".complete";

/** What was written: the weight files with their sizes. */
export interface WrittenCheckpoint {
  readonly folder: string;
  readonly files: readonly { readonly name: string; readonly sizeBytes: number }[];
  readonly totalBytes: number;
  /** Undefined where it was there already. */
  readonly seconds: number | undefined;
}

/** Writes the synthetic checkpoint of a shape into a folder, unless it is there: the bytes that virtual files have. */
export async function writeCheckpoint(folder: string, shape: ProofShape): Promise<WrittenCheckpoint> {
  const { config, numShards } = shape;
  const source = createSyntheticFiles(config, "proof", { numShards });
  const weightNames = source.names.filter((name) => name.endsWith(".safetensors"));
  const files = await Promise.all(
    weightNames.map(async (name) => ({ name, sizeBytes: await source.sizeBytes(name) })),
  );
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const mark = JSON.stringify({ config, files });
  const markPath = join(folder, markName);
  if (existsSync(markPath) && (await readFile(markPath, "utf8")) === mark)
    return { folder, files, totalBytes, seconds: undefined };
  const started = performance.now();
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const name of source.names) {
    const text = await source.readText(name);
    if (text !== undefined) await writeFile(join(folder, name), text);
  }
  await Promise.all(files.map(({ name, sizeBytes }) => writeWeights(source, folder, name, sizeBytes)));
  await writeFile(markPath, mark);
  return { folder, files, totalBytes, seconds: (performance.now() - started) / 1000 };
}

async function writeWeights(
  source: ReturnType<typeof createSyntheticFiles>,
  folder: string,
  name: string,
  sizeBytes: number,
): Promise<void> {
  const file = await open(join(folder, name), "w");
  try {
    const memory = new Uint8Array(Math.min(pieceBytes, sizeBytes));
    for (let at = 0; at < sizeBytes; at += pieceBytes) {
      const piece = memory.subarray(0, Math.min(pieceBytes, sizeBytes - at));
      await source.readInto?.(name, at, piece);
      for (let written = 0; written < piece.byteLength; )
        written += (await file.write(piece, written, piece.byteLength - written, at + written)).bytesWritten;
    }
  } finally {
    await file.close();
  }
}
