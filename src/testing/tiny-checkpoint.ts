import { parseModelConfig } from "../format/config.ts";
import { expectedTensors } from "../format/expected-tensors.ts";
import { dtypeBytes, type ExpectedTensor, type ModelConfig } from "../format/types.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { randomBf16, randomBytes, randomNormal, toBf16 } from "./data.ts";

/** Sizes of a tiny checkpoint; see ModelConfig. */
export interface TinySizes {
  readonly numLayers: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly numExperts: number;
  readonly expertsPerToken: number;
  readonly slidingWindow: number;
  readonly vocabSize: number;
  readonly expertFormat?: "mxfp4" | "bf16";
}

/** A checkpoint in memory, as the engine reads it and as a reference reads it. */
export interface TinyCheckpoint {
  readonly config: ModelConfig;
  readonly files: CheckpointFiles;
  /** Stored bytes of a tensor. */
  readonly bytes: (name: string) => Uint8Array;
}

/** A gpt-oss checkpoint of these sizes with random weights, scaled so that logits have a deviation of about 2. */
export function tinyCheckpoint(sizes: TinySizes): TinyCheckpoint {
  const configText = JSON.stringify(configJson(sizes));
  const config = parseModelConfig(JSON.parse(configText));
  const tensors = new Map<string, Uint8Array>();
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [seed, tensor] of [...expectedTensors(config).values()].entries()) {
    const bytes = tensorBytes(tensor, seed + 1);
    tensors.set(tensor.name, bytes);
    header[tensor.name] = {
      dtype: tensor.dtype,
      shape: tensor.shape,
      data_offsets: [end, end + bytes.byteLength],
    };
    end += bytes.byteLength;
  }
  const file = safetensorsFile(JSON.stringify(header), [...tensors.values()]);
  return {
    config,
    files: {
      id: "tiny",
      readText: async (name) => (name === "config.json" ? configText : undefined),
      sizeBytes: async () => file.byteLength,
      read: async (_, startBytes, endBytes) => file.slice(startBytes, endBytes),
    },
    bytes: (name) => tensors.get(name) ?? new Uint8Array(),
  };
}

function configJson(sizes: TinySizes): Record<string, unknown> {
  return {
    model_type: "gpt_oss",
    num_hidden_layers: sizes.numLayers,
    hidden_size: sizes.hiddenSize,
    intermediate_size: sizes.intermediateSize,
    num_attention_heads: sizes.numHeads,
    num_key_value_heads: sizes.numKvHeads,
    head_dim: sizes.headDim,
    num_local_experts: sizes.numExperts,
    num_experts_per_tok: sizes.expertsPerToken,
    sliding_window: sizes.slidingWindow,
    vocab_size: sizes.vocabSize,
    max_position_embeddings: 4096,
    eos_token_id: 0,
    rope_theta: 10000,
    rope_scaling: {
      rope_type: "yarn",
      factor: 4,
      beta_fast: 32,
      beta_slow: 1,
      truncate: false,
      original_max_position_embeddings: 256,
    },
    ...((sizes.expertFormat ?? "mxfp4") === "mxfp4" && { quantization_config: { quant_method: "mxfp4" } }),
  };
}

/** Random contents by kind of tensor: what multiplies a normed vector of n values has a deviation of 1 / sqrt(n). */
function tensorBytes({ name, dtype, shape }: ExpectedTensor, seed: number): Uint8Array {
  const length = shape.reduce((product, size) => product * size, 1);
  // Codes have a root mean square of 2.9; 2^-5 and 2^-4 make it 0.09 and 0.18.
  if (dtype === "U8")
    return name.endsWith("_scales") ? randomBytes(length, seed, 122, 124) : randomBytes(length, seed);
  return bf16Bytes(bf16Values(name, shape, length, seed));
}

function bf16Values(name: string, shape: readonly number[], length: number, seed: number): Uint16Array {
  if (name.includes("norm")) return toBf16(randomNormal(length, seed, 0.2).map((value) => 1 + value)).bits;
  if (name.endsWith("sinks") || name.includes("embed")) return randomBf16(length, seed).bits;
  if (name.endsWith("bias")) return randomBf16(length, seed, 0.3).bits;
  const inputs = (/experts/.test(name) ? shape[1] : shape.at(-1)) ?? 1; // bf16 experts are [E, in, out]
  return randomBf16(length, seed, (name.includes("lm_head") ? 2 : 1) / Math.sqrt(inputs)).bits;
}

const bf16Bytes = (bits: Uint16Array): Uint8Array =>
  new Uint8Array(bits.buffer, bits.byteOffset, bits.length * dtypeBytes.BF16);

function safetensorsFile(header: string, tensors: readonly Uint8Array[]): Uint8Array {
  const text = new TextEncoder().encode(header);
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(text.byteLength), true);
  return new Uint8Array(Buffer.concat([prefix, text, ...tensors]));
}
