import { layerTensorNames, tensorNames } from "./tensor-names.ts";

/** Tensor names outside the layers in OpenAI's own layout (`original/`), and what they are called elsewhere. */
const outerNames: ReadonlyMap<string, string> = new Map([
  ["embedding.weight", tensorNames.embedding],
  ["norm.scale", tensorNames.finalNorm],
  ["unembedding.weight", tensorNames.lmHead],
]);

/** Names of one tensor, or of the three that a fused one holds: rows of q, then k, then v. */
export type HfNames =
  | { readonly kind: "one"; readonly name: string }
  | { readonly kind: "qkv"; readonly names: readonly [q: string, k: string, v: string] };

/** What a tensor of OpenAI's own layout is called in Hugging Face's; undefined for any other name. */
export function hfNamesOfOriginal(name: string): HfNames | undefined {
  const outer = outerNames.get(name);
  if (outer !== undefined) return { kind: "one", name: outer };
  const [, layer, rest = ""] = /^block\.(\d{1,6})\.(.+)$/.exec(name) ?? [];
  return layer === undefined ? undefined : layerNames(Number(layer)).get(rest);
}

/** True for a name that only OpenAI's own layout uses. */
export const isOriginalName = (name: string): boolean => outerNames.has(name) || /^block\.\d+\./.test(name);

function layerNames(layer: number): ReadonlyMap<string, HfNames> {
  const hf = layerTensorNames(layer);
  const one = (name: string): HfNames => ({ kind: "one", name });
  return new Map<string, HfNames>([
    ["attn.norm.scale", one(hf.attentionNorm)],
    ["attn.qkv.weight", { kind: "qkv", names: [hf.qWeight, hf.kWeight, hf.vWeight] }],
    ["attn.qkv.bias", { kind: "qkv", names: [hf.qBias, hf.kBias, hf.vBias] }],
    ["attn.sinks", one(hf.sinks)],
    ["attn.out.weight", one(hf.outWeight)],
    ["attn.out.bias", one(hf.outBias)],
    ["mlp.norm.scale", one(hf.mlpNorm)],
    ["mlp.gate.weight", one(hf.routerWeight)],
    ["mlp.gate.bias", one(hf.routerBias)],
    ["mlp.mlp1_weight.blocks", one(hf.gateUp.blocks)],
    ["mlp.mlp1_weight.scales", one(hf.gateUp.scales)],
    ["mlp.mlp1_bias", one(hf.gateUp.bias)],
    ["mlp.mlp2_weight.blocks", one(hf.down.blocks)],
    ["mlp.mlp2_weight.scales", one(hf.down.scales)],
    ["mlp.mlp2_bias", one(hf.down.bias)],
  ]);
}
