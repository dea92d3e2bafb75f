import type { StoredModel } from "./chunk-store.ts";
import { numChunks } from "./chunks.ts";

/**
 * How much of what is read from storage is checked against its SHA-256 before it is used: every chunk, the first
 * chunk of each file and one in 8 of the others (others at each opening), or none. Lengths are always checked.
 */
export type VerifyMode = "full" | "sampled" | "none";

/** Which chunks must be checked. */
export interface ChunkChoice {
  mustCheck(file: string, index: number): boolean;
  /** Notes that a chunk was read whole and matched its digest. */
  noteChecked(file: string, index: number): void;
}

const sampleStep = 8;

/** Chooses anew at each call; `onAllChecked` is told once every chunk has been noted. */
export function createChunkChoice(
  model: StoredModel,
  mode: VerifyMode,
  onAllChecked: () => void,
): ChunkChoice {
  const offset = Math.floor(Math.random() * sampleStep);
  const checked = new Set<string>();
  const total = model.files.reduce((sum, file) => sum + numChunks(file.sizeBytes, model.chunkBytes), 0);
  return {
    mustCheck(_file, index) {
      if (mode === "sampled") return index === 0 || index % sampleStep === offset;
      return mode === "full";
    },
    noteChecked(file, index) {
      const before = checked.size;
      checked.add(`${file}#${index}`);
      if (checked.size === total && before < total) onAllChecked();
    },
  };
}
