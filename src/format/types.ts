/** Element types that a gpt-oss checkpoint uses, by their safetensors names. */
export type DType = "BF16" | "U8";

/** Bytes of one element. */
export const dtypeBytes: Readonly<Record<DType, number>> = { BF16: 2, U8: 1 };

export type LayerType = "sliding" | "full";

/** YaRN rotary embedding parameters (gpt-oss `rope_scaling` / `rope_parameters`). */
export interface RopeConfig {
  readonly theta: number;
  readonly factor: number;
  readonly betaFast: number;
  readonly betaSlow: number;
  readonly truncate: boolean;
  readonly originalMaxPositionEmbeddings: number;
}

/** A gpt-oss config.json, checked. Letters in comments elsewhere: H hidden, Q/K heads, D head dim, E experts, F expert width, V vocabulary. */
export interface ModelConfig {
  readonly numLayers: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly numExperts: number;
  readonly expertsPerToken: number;
  readonly slidingWindow: number;
  readonly layerTypes: readonly LayerType[];
  readonly vocabSize: number;
  readonly rmsNormEps: number;
  readonly swigluLimit: number;
  readonly rope: RopeConfig;
  readonly maxPositionEmbeddings: number;
  /** Stop ids that config.json names (`eos_token_id`, one or several). */
  readonly eosTokenIds: readonly number[];
  /** How the experts are stored: MXFP4 blocks and scales, or bf16 `[E, in, out]`. */
  readonly expertFormat: "mxfp4" | "bf16";
}

/** Element types of a LoRA adapter. */
export type AdapterDType = "F32" | "F16" | "BF16";

/** One tensor as a safetensors header describes it, with absolute byte offsets in its file. */
export interface TensorEntryOf<D> {
  readonly name: string;
  readonly dtype: D;
  readonly shape: readonly number[];
  /** File name inside the checkpoint folder. */
  readonly file: string;
  readonly startBytes: number;
  readonly endBytes: number;
}

/** A tensor of a checkpoint. */
export type TensorEntry = TensorEntryOf<DType>;

/** One tensor as the config says it must be. */
export interface ExpectedTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** A checkpoint described and checked: what the loader works from. */
export interface CheckpointManifest {
  readonly config: ModelConfig;
  /** Weight files in the order of the index, with their sizes. */
  readonly files: readonly { readonly name: string; readonly sizeBytes: number }[];
  /** Every tensor of the expected table, by its name in Hugging Face's layout; nothing else. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}
