import { readFields, wrongField } from "./config-fields.ts";
import { invalid, show } from "./invalid.ts";

/** Files of a PEFT adapter. */
export const adapterConfigName = "adapter_config.json";
export const adapterWeightsName = "adapter_model.safetensors";

/** Projections of the attention that an adapter may change. */
export const loraProjections = ["q_proj", "k_proj", "v_proj", "o_proj"] as const;
export type LoraProjection = (typeof loraProjections)[number];

/** A PEFT LoRA adapter's config, checked. Modules are named as in the model: `model.layers.3.self_attn.q_proj`. */
export interface AdapterConfig {
  /** Rank of a module's matrices. */
  rank(module: string): number;
  /** What B·A is multiplied by: alpha / r, or alpha / sqrt(r) with `use_rslora`. */
  scale(module: string): number;
}

/** Fields that change what an adapter computes, and the values under which they do not. */
const unsupported: readonly (readonly [field: string, allowed: readonly unknown[], why: string])[] = [
  ["use_dora", [false], "DoRA scales rows by learned magnitudes, which is not computed"],
  ["bias", ["none"], "trained biases are not merged"],
  ["lora_bias", [false], "trained biases are not merged"],
  ["fan_in_fan_out", [false], "gpt-oss stores weights as [out, in]"],
  ["use_qalora", [false], "QALoRA is not computed"],
  ["init_lora_weights", [true, false, "gaussian", "orthogonal", "eva"], "others change the base weights too"],
];

/** Fields whose lists must be empty. */
const unsupportedLists: readonly (readonly [field: string, why: string])[] = [
  ["modules_to_save", "modules trained whole are not merged"],
  ["target_parameters", "only attention projections are merged; MXFP4 experts cannot take an adapter"],
  ["layer_replication", "the model's layers are fixed"],
  ["trainable_token_indices", "trained token embeddings are not merged"],
  ["alora_invocation_tokens", "an adapter that is active on some tokens only cannot be merged"],
];

/**
 * Checks a parsed adapter_config.json.
 * @throws checkpoint-invalid naming the field, for what cannot be merged into the attention weights
 */
export function parseAdapterConfig(json: unknown): AdapterConfig {
  const fields = readFields(json, adapterConfigName);
  if (fields.raw("peft_type") !== "LORA") {
    throw wrongField(adapterConfigName, "peft_type", '"LORA"', fields.raw("peft_type"));
  }
  for (const [field, allowed, why] of unsupported) fields.only(field, allowed, why);
  for (const [field, why] of unsupportedLists) checkEmpty(field, fields.raw(field), why);
  checkTargets(fields.raw("target_modules"));
  const r = fields.integer("r", { max: maxRank });
  const alpha = fields.positive("lora_alpha", 8);
  const ranks = readPattern("rank_pattern", fields.raw("rank_pattern"));
  const alphas = readPattern("alpha_pattern", fields.raw("alpha_pattern"));
  const useRslora = fields.flag("use_rslora", false);
  const rank = (module: string) => ranks(module) ?? r;
  return {
    rank,
    scale: (module) => (alphas(module) ?? alpha) / (useRslora ? Math.sqrt(rank(module)) : rank(module)),
  };
}

/** Above it the two factors are larger than the matrix. */
const maxRank = 4096;

function checkEmpty(field: string, value: unknown, why: string): void {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return;
  throw wrongField(adapterConfigName, field, `absent or empty (${why})`, value);
}

/** A list must name projections of the attention. A pattern is not evaluated: the file's tensors show what it matched. */
function checkTargets(value: unknown): void {
  if (typeof value === "string") return;
  const names: readonly unknown[] = Array.isArray(value) ? value : [];
  const wrong = names.find((name) => !loraProjections.some((known) => isModule(known, name)));
  if (names.length > 0 && wrong === undefined) return;
  const expected = `a list of ${loraProjections.join(", ")} (others cannot be merged: ${show(wrong)})`;
  throw wrongField(adapterConfigName, "target_modules", expected, value);
}

const isModule = (projection: LoraProjection, name: unknown) =>
  typeof name === "string" && (name === projection || name.endsWith(`.${projection}`));

/** Numbers for some modules: keys are names or ends of names. PEFT takes them as patterns; only plain ones are read. */
function readPattern(field: string, value: unknown): (module: string) => number | undefined {
  if (value === undefined) return () => undefined;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrongField(adapterConfigName, field, "an object of numbers by module", value);
  }
  const entries = Object.entries(value).map(([key, number]: [string, unknown]) => {
    const isNumber = typeof number === "number" && Number.isFinite(number) && number > 0;
    const isRank = field !== "rank_pattern" || (Number.isInteger(number) && Number(number) <= maxRank);
    if (!isNumber || !isRank) {
      throw wrongField(adapterConfigName, `${field}.${key}`, "a number above 0", number);
    }
    if (!/^\^?[\w.]+$/.test(key)) {
      throw invalid(
        `${adapterConfigName}: ${field} has the key ${show(key)}; only module names or their ends are read, not other patterns.`,
        { file: adapterConfigName, field },
      );
    }
    return [key.replace(/^\^/, ""), number] as const;
  });
  // The first that matches counts, as in PEFT.
  return (module) => entries.find(([key]) => module === key || module.endsWith(`.${key}`))?.[1];
}
