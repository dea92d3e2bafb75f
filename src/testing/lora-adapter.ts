import type { CheckpointManifest } from "../format/types.ts";
import { readManifest } from "../weights/manifest.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { bf16Bits, bf16Value, randomNormal, toBf16 } from "./data.ts";
import { type FileMap, filesInMemory } from "./original-checkpoint.ts";

export interface AdapterRecipe {
  readonly rank: number;
  readonly alpha: number;
  /** Default: all four of every layer. */
  readonly modules?: readonly string[];
  readonly dtype?: "F32" | "F16" | "BF16";
  /** Put over adapter_config.json. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Put over the tensors: name to [shape, values], or undefined to leave one out. */
  readonly tensors?: Readonly<Record<string, AdapterTensor | undefined>>;
}

export interface AdapterTensor {
  readonly shape: readonly [number, number];
  readonly values: ArrayLike<number>;
}

const projections = ["q_proj", "k_proj", "v_proj", "o_proj"];

/** Every projection of every layer. */
export const allModules = ({ config }: CheckpointManifest): string[] =>
  Array.from({ length: config.numLayers }, (_, layer) =>
    projections.map((name) => `model.layers.${layer}.self_attn.${name}`),
  ).flat();

/** Random factors for the modules, as large as to change answers; exact in every type that adapters are stored in. */
export function adapterTensors(
  manifest: CheckpointManifest,
  recipe: AdapterRecipe,
): Map<string, AdapterTensor> {
  const tensors = new Map<string, AdapterTensor>();
  for (const [i, module] of (recipe.modules ?? allModules(manifest)).entries()) {
    const [out = 0, inputs = 0] = manifest.tensors.get(`${module}.weight`)?.shape ?? [];
    const name = `base_model.model.${module}`;
    tensors.set(`${name}.lora_A.weight`, random(recipe.rank, inputs, 2 * i + 1));
    tensors.set(`${name}.lora_B.weight`, random(out, recipe.rank, 2 * i + 2));
  }
  for (const [name, tensor] of Object.entries(recipe.tensors ?? {})) {
    if (tensor === undefined) tensors.delete(name);
    else tensors.set(name, tensor);
  }
  return tensors;
}

/** Values with 7 bits of fraction and exponents that half precision has. */
function random(rows: number, columns: number, seed: number): AdapterTensor {
  const values = toBf16(
    randomNormal(rows * columns, seed, 0.2).map((value) => value + Math.sign(value) * 0.01),
  );
  return { shape: [rows, columns], values: values.values };
}

/** An adapter as PEFT saves it. */
export async function loraAdapter(base: CheckpointFiles, recipe: AdapterRecipe): Promise<CheckpointFiles> {
  const tensors = adapterTensors(await readManifest(base), recipe);
  const config = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: "openai/gpt-oss-20b",
    r: recipe.rank,
    lora_alpha: recipe.alpha,
    lora_dropout: 0,
    bias: "none",
    use_dora: false,
    use_rslora: false,
    fan_in_fan_out: false,
    init_lora_weights: true,
    modules_to_save: null,
    target_modules: projections,
    rank_pattern: {},
    alpha_pattern: {},
    ...recipe.config,
  };
  return filesInMemory(
    "adapter",
    new Map<string, Uint8Array | string>([
      ["adapter_config.json", JSON.stringify(config)],
      ["adapter_model.safetensors", adapterFile(tensors, recipe.dtype ?? "F32")],
    ]),
  );
}

function adapterFile(tensors: ReadonlyMap<string, AdapterTensor>, dtype: "F32" | "F16" | "BF16"): Uint8Array {
  const bytesOf = { F32: 4, F16: 2, BF16: 2 }[dtype];
  let end = 0;
  const header: Record<string, unknown> = {};
  for (const [name, { shape }] of tensors) {
    const start = end;
    end += shape[0] * shape[1] * bytesOf;
    header[name] = { dtype, shape, data_offsets: [start, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const file = new DataView(new ArrayBuffer(8 + text.byteLength + end));
  file.setBigUint64(0, BigInt(text.byteLength), true);
  new Uint8Array(file.buffer).set(text, 8);
  let at = 8 + text.byteLength;
  for (const { values } of tensors.values()) {
    for (const value of Array.from(values)) {
      if (dtype === "F32") file.setFloat32(at, value, true);
      else file.setUint16(at, dtype === "BF16" ? bf16Bits(value) : halfBits(value), true);
      at += bytesOf;
    }
  }
  return new Uint8Array(file.buffer);
}

/** Half precision bits of a normal number that half precision holds exactly. */
function halfBits(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = (Math.abs(value) / 2 ** exponent - 1) * 1024;
  if (exponent < -14 || exponent > 15 || !Number.isInteger(fraction)) throw new Error(`${value} is no half`);
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}

/**
 * A checkpoint with an adapter merged in advance, tensor by tensor in the plainest way: what merging while loading must
 * equal bit for bit.
 */
export async function mergedInAdvance(
  base: CheckpointFiles,
  recipe: AdapterRecipe,
  scale: number,
): Promise<FileMap> {
  const manifest = await readManifest(base);
  const files = new Map<string, Uint8Array | string>();
  for (const name of ["config.json", "model.safetensors.index.json"]) {
    const text = await base.readText(name);
    if (text !== undefined) files.set(name, text);
  }
  const weights = new Map<string, Uint8Array>();
  for (const { name, sizeBytes } of manifest.files) weights.set(name, await base.read(name, 0, sizeBytes));
  const tensors = adapterTensors(manifest, recipe);
  for (const module of recipe.modules ?? allModules(manifest)) {
    const weight = manifest.tensors.get(`${module}.weight`);
    const a = tensors.get(`base_model.model.${module}.lora_A.weight`);
    const b = tensors.get(`base_model.model.${module}.lora_B.weight`);
    const bytes = weights.get(weight?.file ?? "");
    if (weight === undefined || a === undefined || b === undefined || bytes === undefined)
      throw new Error(module);
    const view = new DataView(bytes.buffer, bytes.byteOffset + weight.startBytes);
    const [out, rank] = b.shape;
    const inputs = a.shape[1];
    for (let o = 0; o < out; o += 1) {
      for (let i = 0; i < inputs; i += 1) {
        let change = 0;
        for (let k = 0; k < rank; k += 1)
          change += (b.values[o * rank + k] ?? 0) * (a.values[k * inputs + i] ?? 0);
        const at = (o * inputs + i) * 2;
        view.setUint16(at, bf16Bits(Math.fround(bf16Value(view.getUint16(at, true)) + scale * change)), true);
      }
    }
  }
  return new Map([...files, ...weights]);
}
