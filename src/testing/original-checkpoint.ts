import { layerTensorNames, tensorNames } from "../format/tensor-names.ts";
import type { CheckpointManifest, TensorEntry } from "../format/types.ts";
import { readManifest } from "../weights/manifest.ts";
import type { CheckpointFiles } from "../weights/types.ts";

/** A file of a checkpoint by its name. */
export type FileMap = ReadonlyMap<string, Uint8Array | string>;

/**
 * Rewrites an MXFP4 checkpoint in Hugging Face's layout into OpenAI's own (`original/`): config.json, dtypes.json and
 * model.safetensors, with other names and with q, k and v in one tensor.
 */
export async function originalCheckpoint(files: CheckpointFiles): Promise<FileMap> {
  const manifest = await readManifest(files);
  const read = ({ file, startBytes, endBytes }: TensorEntry) => files.read(file, startBytes, endBytes);
  const tensors: OriginalTensor[] = [];
  for (const [name, parts] of originalTensors(manifest)) {
    const bytes = Buffer.concat(await Promise.all(parts.map(read)));
    const [first] = parts;
    if (first === undefined) throw new Error(`${name} has no parts`);
    const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
    tensors.push({ name, dtype: first.dtype, shape: [rows, ...first.shape.slice(1)], bytes });
  }
  return new Map<string, Uint8Array | string>([
    ["config.json", JSON.stringify(originalConfig(manifest))],
    ["dtypes.json", JSON.stringify(Object.fromEntries(tensors.map(({ name }) => [name, dtypeName(name)])))],
    ["model.safetensors", safetensors(tensors)],
  ]);
}

/** Files in memory as a checkpoint. */
export function filesInMemory(id: string, files: FileMap): CheckpointFiles {
  const bytesOf = (name: string): Uint8Array => {
    const content = files.get(name);
    if (content === undefined) throw new Error(`${id} has no ${name}`);
    return typeof content === "string" ? new TextEncoder().encode(content) : content;
  };
  return {
    id,
    readText: async (name) => (files.has(name) ? new TextDecoder().decode(bytesOf(name)) : undefined),
    sizeBytes: async (name) => bytesOf(name).byteLength,
    read: async (name, startBytes, endBytes) => bytesOf(name).slice(startBytes, endBytes),
  };
}

interface OriginalTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Tensors of OpenAI's layout in another order than theirs, by the tensors whose rows they hold. */
function originalTensors({ config, tensors }: CheckpointManifest): [string, TensorEntry[]][] {
  const entry = (name: string): TensorEntry => {
    const found = tensors.get(name);
    if (found === undefined) throw new Error(`the checkpoint has no ${name}; are its experts MXFP4?`);
    return found;
  };
  const table: [string, string[]][] = [
    ["norm.scale", [tensorNames.finalNorm]],
    ["unembedding.weight", [tensorNames.lmHead]],
    ["embedding.weight", [tensorNames.embedding]],
  ];
  for (let layer = 0; layer < config.numLayers; layer += 1) {
    const hf = layerTensorNames(layer);
    const block = `block.${layer}`;
    table.push(
      [`${block}.attn.norm.scale`, [hf.attentionNorm]],
      [`${block}.attn.out.bias`, [hf.outBias]],
      [`${block}.attn.out.weight`, [hf.outWeight]],
      [`${block}.attn.qkv.bias`, [hf.qBias, hf.kBias, hf.vBias]],
      [`${block}.attn.qkv.weight`, [hf.qWeight, hf.kWeight, hf.vWeight]],
      [`${block}.attn.sinks`, [hf.sinks]],
      [`${block}.mlp.gate.bias`, [hf.routerBias]],
      [`${block}.mlp.gate.weight`, [hf.routerWeight]],
      [`${block}.mlp.mlp1_bias`, [hf.gateUp.bias]],
      [`${block}.mlp.mlp1_weight.blocks`, [hf.gateUp.blocks]],
      [`${block}.mlp.mlp1_weight.scales`, [hf.gateUp.scales]],
      [`${block}.mlp.mlp2_bias`, [hf.down.bias]],
      [`${block}.mlp.mlp2_weight.blocks`, [hf.down.blocks]],
      [`${block}.mlp.mlp2_weight.scales`, [hf.down.scales]],
      [`${block}.mlp.norm.scale`, [hf.mlpNorm]],
    );
  }
  return table.map(([name, parts]) => [name, parts.map(entry)]);
}

const dtypeName = (name: string): string =>
  name.endsWith(".blocks") ? "FP4" : name.endsWith(".scales") ? "UE8" : "BF16";

function originalConfig({ config }: CheckpointManifest): Record<string, number> {
  return {
    num_hidden_layers: config.numLayers,
    num_experts: config.numExperts,
    experts_per_token: config.expertsPerToken,
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    swiglu_limit: config.swigluLimit,
    head_dim: config.headDim,
    num_attention_heads: config.numHeads,
    num_key_value_heads: config.numKvHeads,
    sliding_window: config.slidingWindow,
    initial_context_length: config.rope.originalMaxPositionEmbeddings,
    rope_theta: config.rope.theta,
    rope_scaling_factor: config.rope.factor,
    rope_ntk_alpha: config.rope.betaSlow,
    rope_ntk_beta: config.rope.betaFast,
  };
}

function safetensors(tensors: readonly OriginalTensor[]): Uint8Array {
  let end = 0;
  const header: Record<string, unknown> = {};
  for (const { name, dtype, shape, bytes } of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.byteLength] };
    end += bytes.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(text.byteLength), true);
  return new Uint8Array(Buffer.concat([prefix, text, ...tensors.map(({ bytes }) => bytes)]));
}
