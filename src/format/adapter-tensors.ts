import { type AdapterConfig, adapterConfigName, loraProjections } from "./adapter-config.ts";
import { invalid } from "./invalid.ts";
import type { AdapterDType, CheckpointManifest, TensorEntry, TensorEntryOf } from "./types.ts";

/** The change of one weight: W' = W + scale · B·A. */
export interface LoraPair {
  /** The weight, [out, in] bf16. */
  readonly weight: TensorEntry;
  /** [rank, in] */
  readonly a: TensorEntryOf<AdapterDType>;
  /** [out, rank] */
  readonly b: TensorEntryOf<AdapterDType>;
  readonly rank: number;
  readonly scale: number;
}

const projections = loraProjections.join("|");
/** `base_model.model.model.layers.3.self_attn.q_proj.lora_A.weight`; some writers keep the adapter's name, `default`. */
const loraName = new RegExp(
  `^(?:base_model\\.model\\.)?(model\\.layers\\.\\d{1,6}\\.self_attn\\.(?:${projections}))\\.lora_([AB])(?:\\.default)?\\.weight$`,
);

/**
 * Finds the weights of a checkpoint that an adapter changes.
 * @returns pairs in no particular order, at least one
 * @throws checkpoint-invalid naming the tensor: not of the attention, without its other half, of the wrong shape, or for a
 * weight that the checkpoint does not have
 */
export function matchAdapter(
  config: AdapterConfig,
  entries: readonly TensorEntryOf<AdapterDType>[],
  manifest: CheckpointManifest,
): LoraPair[] {
  const halves = new Map<string, { a?: TensorEntryOf<AdapterDType>; b?: TensorEntryOf<AdapterDType> }>();
  for (const entry of entries) {
    const [, module, half] = loraName.exec(entry.name) ?? [];
    if (module === undefined) throw unknownTensor(entry.name);
    const pair = halves.get(module) ?? {};
    const key = half === "A" ? "a" : "b";
    if (pair[key] !== undefined)
      throw invalid(`The adapter has lora_${half} of ${module} twice.`, { tensor: entry.name });
    halves.set(module, { ...pair, [key]: entry });
  }
  if (halves.size === 0) throw invalid("The adapter has no tensors.");
  return [...halves].map(([module, { a, b }]) => {
    const weight = manifest.tensors.get(`${module}.weight`);
    if (weight === undefined) {
      const layers = manifest.config.numLayers;
      throw invalid(`The adapter changes ${module}, but the checkpoint has ${layers} layers.`, {
        tensor: module,
      });
    }
    if (a === undefined || b === undefined) {
      throw invalid(`The adapter has no lora_${a === undefined ? "A" : "B"} of ${module}.`, {
        tensor: module,
      });
    }
    const rank = config.rank(module);
    const [out = 0, inputs = 0] = weight.shape;
    checkShape(a, [rank, inputs]);
    checkShape(b, [out, rank]);
    return { weight, a, b, rank, scale: config.scale(module) };
  });
}

function checkShape({ name, shape }: TensorEntryOf<AdapterDType>, expected: readonly number[]): void {
  if (shape.length === expected.length && expected.every((size, i) => shape[i] === size)) return;
  throw invalid(
    `The adapter's ${name} is [${shape.join(", ")}], expected [${expected.join(", ")}]: the rank of ${adapterConfigName} and the widths of this checkpoint. Is it an adapter of another model?`,
    { tensor: name },
  );
}

function unknownTensor(name: string) {
  const why = name.includes("lora_magnitude_vector")
    ? "DoRA scales rows by learned magnitudes, which is not computed"
    : name.includes(".experts")
      ? "adapters of the experts cannot be merged into MXFP4"
      : "only LoRA factors (lora_A.weight, lora_B.weight) of q_proj, k_proj, v_proj and o_proj are merged";
  return invalid(`The adapter has ${name}, which cannot be merged: ${why}.`, { tensor: name });
}
