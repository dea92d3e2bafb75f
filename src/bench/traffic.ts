import type { ModelConfig } from "../format/types.ts";
import { isLeftOut, type Step } from "../gpu/steps.ts";
import { kvElementBytes } from "../kernels/attention/kv-cache.ts";
import type { Activations } from "../model/activations.ts";
import type { PassRun } from "../model/plan-types.ts";
import { attentionShape, type PlanOptions, qkvWidth, queryWidth } from "../model/shapes.ts";
import type { ModelWeights } from "../model/weights.ts";

/** What a dispatch or a whole pass must do at least. Activations are left out: they are few and stay in the cache. */
export interface Traffic {
  /** Bytes of weights and of the KV cache that must be read. */
  readonly bytes: number;
  /** Floating point operations of products with weights and of attention; a multiplication and an addition are two. */
  readonly operations: number;
}

/** A model's memory by what it is for. */
export interface TrafficModel {
  readonly config: ModelConfig;
  readonly weights: ModelWeights;
  readonly activations: Pick<Activations, "kv">;
  readonly planOptions: PlanOptions;
}

type WeightKind = "dense" | "experts" | "embedding";

interface WeightFacts {
  readonly kind: WeightKind;
  /** Products that a token makes with the whole matrix, or its share by bytes where that is in several buffers. */
  readonly products: number;
  readonly isHead: boolean;
}

/** Says of a step, and of a decode step as a whole, what it must read and compute. */
export interface TrafficMeter {
  readonly ofStep: (step: Step<PassRun>, run: PassRun) => Traffic;
  /** Bytes that decoding one token must read at least: dense weights, active experts, and the cache of `maxKeys` keys. */
  readonly decodeBytes: (maxKeys: number) => number;
}

export function createTrafficMeter(model: TrafficModel): TrafficMeter {
  const { config, planOptions } = model;
  const weights = weightFacts(model);
  const layerOfKv = new Map<GPUBuffer, number>();
  for (const [layer, { keys, values }] of model.activations.kv.entries())
    layerOfKv.set(keys, layer).set(values, layer);

  /** Keys that the tokens of a pass see in a layer: read together, and summed over the tokens. */
  function visibleKeys(layer: number, { numTokens, maxKeys }: PassRun) {
    const { window } = attentionShape(config, config.layerTypes[layer] ?? "full", planOptions);
    const most = window === 0 ? maxKeys : Math.min(maxKeys, window - 1 + numTokens);
    let sum = 0;
    for (let seen = maxKeys - numTokens + 1; seen <= maxKeys; seen += 1)
      sum += window === 0 ? seen : Math.min(seen, window);
    return { most, sum };
  }

  const keyBytes = config.numKvHeads * config.headDim * kvElementBytes(planOptions.kvFormat);

  function ofStep(step: Step<PassRun>, run: PassRun): Traffic {
    let bytes = 0;
    let operations = 0;
    if (isLeftOut(step, run)) return { bytes, operations };
    for (const [name, buffer] of Object.entries(step.buffers ?? {})) {
      if (step.pipeline.bindings[name] !== "read") continue;
      const layer = layerOfKv.get(buffer);
      if (layer !== undefined) {
        const { most, sum } = visibleKeys(layer, run);
        bytes += most * keyBytes;
        operations += 2 * sum * queryWidth(config);
      }
      const facts = weights.get(buffer);
      if (facts === undefined) continue;
      bytes += buffer.size * shareRead(facts.kind, config, run.numTokens);
      // The head makes the logits of one token whatever the pass has.
      operations += 2 * facts.products * (facts.isHead ? 1 : run.numTokens);
    }
    return { bytes, operations };
  }

  return {
    ofStep,
    decodeBytes(maxKeys) {
      const run = { numTokens: 1, maxKeys };
      let bytes = 0;
      for (const [buffer, { kind }] of weights) bytes += buffer.size * shareRead(kind, config, 1);
      for (const layer of layerOfKv.values()) bytes += visibleKeys(layer, run).most * keyBytes;
      return bytes;
    },
  };
}

/** The part of a weight buffer that `numTokens` tokens read: routing spread evenly, as many experts as they can choose. */
function shareRead(kind: WeightKind, config: ModelConfig, numTokens: number): number {
  switch (kind) {
    case "dense":
      return 1;
    case "embedding":
      return numTokens / config.vocabSize;
    case "experts":
      return Math.min(1, (numTokens * config.expertsPerToken) / config.numExperts);
    default:
      return kind satisfies never;
  }
}

/** Bytes of all weight buffers. */
export const weightBytes = (weights: ModelWeights): number => {
  let sum = 0;
  visitBuffers(weights, [], (buffer) => {
    sum += buffer.size;
  });
  return sum;
};

/** Calls `visit` with every buffer of weights in a tree of objects and the names that lead to it. */
function visitBuffers(
  value: unknown,
  path: readonly string[],
  visit: (buffer: GPUBuffer, path: readonly string[]) => void,
): void {
  if (typeof value !== "object" || value === null) return;
  if (isBuffer(value)) visit(value, path);
  else
    for (const [name, inner] of Object.entries(value))
      if (name !== "part") visitBuffers(inner, [...path, name], visit); // says what is bound, and is no weight
}

/** Every weight buffer with what it is, from its place in `ModelWeights`. */
function weightFacts({ config, weights }: TrafficModel): Map<GPUBuffer, WeightFacts> {
  const products = productsOf(config);
  const facts = new Map<GPUBuffer, WeightFacts>();
  const matrixOf = (path: readonly string[]) =>
    path.slice(0, 1 + path.findIndex((name) => name in products)).join(".");
  const matrixBytes = new Map<string, number>();
  visitBuffers(weights, [], (buffer, path) => {
    const matrix = matrixOf(path);
    matrixBytes.set(matrix, (matrixBytes.get(matrix) ?? 0) + buffer.size);
  });
  visitBuffers(weights, [], (buffer, path) => {
    const role = path.find((name) => name in products) ?? path[0] ?? "";
    const isExperts = path.includes("gateUp") || path.includes("down");
    const kind = isExperts ? "experts" : role === "embedding" ? "embedding" : "dense";
    const share = buffer.size / (matrixBytes.get(matrixOf(path)) ?? buffer.size);
    facts.set(buffer, { kind, products: (products[role] ?? 0) * share, isHead: role === "lmHead" });
  });
  return facts;
}

/** Products a token with each matrix. */
const productsOf = (config: ModelConfig): Record<string, number> => {
  const { hiddenSize: H, intermediateSize: F, expertsPerToken: A } = config;
  return {
    qkvWeight: qkvWidth(config) * H,
    outWeight: queryWidth(config) * H,
    routerWeight: config.numExperts * H,
    gateUp: A * 2 * F * H,
    down: A * F * H,
    lmHead: config.vocabSize * H,
  };
};

const isBuffer = (value: object): value is GPUBuffer => "size" in value && "label" in value;

export const addTraffic = (a: Traffic, b: Traffic): Traffic => ({
  bytes: a.bytes + b.bytes,
  operations: a.operations + b.operations,
});
