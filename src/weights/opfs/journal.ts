import type { FileHash, StoredModel } from "../chunk-store.ts";
import { crc32 } from "./crc32.ts";

/** One fact about a stored model. Facts are appended, never changed. */
export type JournalEntry =
  | { readonly type: "model"; readonly model: StoredModel }
  | { readonly type: "text"; readonly name: string; readonly sizeBytes: number; readonly crc: number }
  | {
      readonly type: "chunk";
      readonly file: string;
      readonly index: number;
      readonly startBytes: number;
      readonly sizeBytes: number;
      readonly digest: string;
    }
  | { readonly type: "hash"; readonly file: string; readonly numChunks: number; readonly state: string }
  | { readonly type: "drop"; readonly file: string };

export interface StoredChunk {
  readonly startBytes: number;
  readonly sizeBytes: number;
  readonly digest: string;
}

/** What the entries of a journal add up to. */
export interface JournalState {
  model: StoredModel | undefined;
  readonly texts: Map<string, { readonly sizeBytes: number; readonly crc: number }>;
  /** Complete chunks by file, then by index. */
  readonly chunks: Map<string, Map<number, StoredChunk>>;
  readonly hashes: Map<string, FileHash>;
  /** True where a line among good ones could not be read. */
  hasGaps: boolean;
}

export function emptyJournal(): JournalState {
  return { model: undefined, texts: new Map(), chunks: new Map(), hashes: new Map(), hasGaps: false };
}

/** Adds one entry to what is known. */
export function applyEntry(state: JournalState, entry: JournalEntry): void {
  switch (entry.type) {
    case "model":
      state.model = entry.model;
      return;
    case "text":
      state.texts.set(entry.name, { sizeBytes: entry.sizeBytes, crc: entry.crc });
      return;
    case "chunk": {
      const { file, index, startBytes, sizeBytes, digest } = entry;
      const chunks = state.chunks.get(file) ?? new Map<number, StoredChunk>();
      chunks.set(index, { startBytes, sizeBytes, digest });
      state.chunks.set(file, chunks);
      return;
    }
    case "hash":
      state.hashes.set(entry.file, { numChunks: entry.numChunks, state: fromHex(entry.state) });
      return;
    case "drop":
      state.chunks.delete(entry.file);
      state.hashes.delete(entry.file);
      return;
    default:
      entry satisfies never;
  }
}

/** An entry as a line: CRC-32 in hex, a space, JSON, a line feed. */
export function encodeEntry(entry: JournalEntry): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(entry));
  const line = new Uint8Array(json.byteLength + 10);
  line.set(new TextEncoder().encode(`${crc32(json).toString(16).padStart(8, "0")} `));
  line.set(json, 9);
  line[line.byteLength - 1] = 10;
  return line;
}

/**
 * Reads a journal. A line that fails its checksum is skipped, and what it said is lost: that a chunk is there, say,
 * which is fetched again then. What follows the last good line is a crash's, was never acknowledged, and does not
 * count: `validBytes` is where the next entry belongs.
 */
export function readJournal(bytes: Uint8Array): {
  readonly state: JournalState;
  readonly validBytes: number;
} {
  const state = emptyJournal();
  let validBytes = 0;
  let isAfterGap = false;
  for (let startBytes = 0; ; ) {
    const end = bytes.indexOf(10, startBytes);
    if (end < 0) return { state, validBytes };
    const entry = decodeLine(bytes.subarray(startBytes, end));
    startBytes = end + 1;
    isAfterGap ||= entry === undefined;
    if (entry === undefined) continue;
    state.hasGaps = isAfterGap;
    applyEntry(state, entry);
    validBytes = startBytes;
  }
}

function decodeLine(line: Uint8Array): JournalEntry | undefined {
  const json = line.subarray(9);
  const crc = Number.parseInt(new TextDecoder().decode(line.subarray(0, 8)), 16);
  if (crc !== crc32(json)) return undefined;
  return JSON.parse(new TextDecoder().decode(json)) as JournalEntry; // we wrote it: its checksum says so
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
