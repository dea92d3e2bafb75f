/** Checkpoint names outside the layers. */
export const tensorNames = {
  embedding: "model.embed_tokens.weight",
  finalNorm: "model.norm.weight",
  lmHead: "lm_head.weight",
} as const;

/** Checkpoint names of one layer by role. `gateUp` and `down` hold the names of both expert formats. */
export interface LayerTensorNames {
  readonly attentionNorm: string;
  readonly qWeight: string;
  readonly qBias: string;
  readonly kWeight: string;
  readonly kBias: string;
  readonly vWeight: string;
  readonly vBias: string;
  readonly outWeight: string;
  readonly outBias: string;
  readonly sinks: string;
  readonly mlpNorm: string;
  readonly routerWeight: string;
  readonly routerBias: string;
  readonly gateUp: ExpertTensorNames;
  readonly down: ExpertTensorNames;
}

/** MXFP4 experts have `blocks` and `scales`, bf16 experts `weight`; both have `bias`. */
export interface ExpertTensorNames {
  readonly blocks: string;
  readonly scales: string;
  readonly weight: string;
  readonly bias: string;
}

/** The one place that spells the tensor names of a layer. */
export function layerTensorNames(layer: number): LayerTensorNames {
  const prefix = `model.layers.${layer}`;
  const attention = `${prefix}.self_attn`;
  return {
    attentionNorm: `${prefix}.input_layernorm.weight`,
    qWeight: `${attention}.q_proj.weight`,
    qBias: `${attention}.q_proj.bias`,
    kWeight: `${attention}.k_proj.weight`,
    kBias: `${attention}.k_proj.bias`,
    vWeight: `${attention}.v_proj.weight`,
    vBias: `${attention}.v_proj.bias`,
    outWeight: `${attention}.o_proj.weight`,
    outBias: `${attention}.o_proj.bias`,
    sinks: `${attention}.sinks`,
    mlpNorm: `${prefix}.post_attention_layernorm.weight`,
    routerWeight: `${prefix}.mlp.router.weight`,
    routerBias: `${prefix}.mlp.router.bias`,
    gateUp: expertTensorNames(`${prefix}.mlp.experts.gate_up_proj`),
    down: expertTensorNames(`${prefix}.mlp.experts.down_proj`),
  };
}

function expertTensorNames(weight: string): ExpertTensorNames {
  return { blocks: `${weight}_blocks`, scales: `${weight}_scales`, weight, bias: `${weight}_bias` };
}

/** Layer number inside a tensor name, or undefined for tensors outside the layers. */
export function layerOfTensor(name: string): number | undefined {
  const match = /^model\.layers\.(\d{1,6})\./.exec(name);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** How the experts of these tensors are stored, by name: shapes cannot tell (with H = F down is square). */
export function expertFormatOfNames(names: Iterable<string>): "mxfp4" | "bf16" | "mixed" | "none" {
  let blocks = false;
  let plain = false;
  for (const name of names) {
    if (/\.mlp\.experts\.(gate_up|down)_proj_(blocks|scales)$/.test(name)) blocks = true;
    else if (/\.mlp\.experts\.(gate_up|down)_proj$/.test(name)) plain = true;
  }
  if (blocks && plain) return "mixed";
  if (blocks) return "mxfp4";
  return plain ? "bf16" : "none";
}
