import { type SyntheticShape, syntheticConfig } from "../../src/bench/synthetic-files.ts";

export const shapeNames = ["tiny", "small", "20b", "120b"] as const;
export type ShapeName = (typeof shapeNames)[number];

/** A checkpoint that the proof writes, and how it is asked. */
export interface ProofShape {
  readonly config: Record<string, unknown>;
  readonly numShards: number;
  /** Undefined: the library's default. */
  readonly chunkBytes: number | undefined;
  readonly contextLength: number;
  readonly prompt: readonly number[];
  readonly newTokens: number;
  /** Slows the download that is broken off, so that a small one is caught half-way. */
  readonly bytesPerSecond: number | undefined;
  /** Bytes whose upload is timed. */
  readonly uploadBytes: number;
}

const mib = 1024 * 1024;

/** `tiny` has 56 MB in 3 files, so that the whole way can be tried on a CPU adapter; `small` has 266 MB, for rates. */
export function proofShape(name: ShapeName, layers: number | undefined): ProofShape {
  const isTiny = name === "tiny";
  const isCut = isTiny || name === "small";
  const published = syntheticConfig(isCut ? "20b" : (name satisfies SyntheticShape), layers);
  const vocabSize = isTiny ? 32_768 : 201_088;
  return {
    config: isCut
      ? {
          ...published,
          num_hidden_layers: layers ?? (isTiny ? 4 : 16),
          hidden_size: 256,
          intermediate_size: 256,
          num_attention_heads: 8,
          num_key_value_heads: 2,
          head_dim: 32,
          num_local_experts: 32,
          vocab_size: vocabSize,
          eos_token_id: 2,
        }
      : published,
    numShards: 3,
    chunkBytes: isTiny ? 4 * mib : undefined,
    contextLength: isCut ? 256 : 8192,
    prompt: Array.from({ length: 8 }, (_, i) => (i * 7919 + 11) % vocabSize),
    newTokens: 32,
    bytesPerSecond: isTiny ? 4 * mib : undefined,
    uploadBytes: isCut ? 128 * mib : 8192 * mib,
  };
}
