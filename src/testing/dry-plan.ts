import type { ModelConfig } from "../format/types.ts";
import { createDryBufferSet } from "../gpu/dry-buffers.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { KernelSource } from "../gpu/kernel.ts";
import { type Activations, allocateActivations } from "../model/activations.ts";
import { createModelPlan } from "../model/plan.ts";
import type { ModelPlan } from "../model/plan-types.ts";
import type { PlanOptions } from "../model/shapes.ts";
import { layOutWeights, type ModelWeights } from "../model/weights.ts";
import { checkedPlanOptions, type LoadModelOptions } from "../runtime/plan-options.ts";
import { readManifest } from "../weights/manifest.ts";
import type { CheckpointFiles } from "../weights/types.ts";

export interface DryPlan {
  readonly gpu: Gpu;
  readonly config: ModelConfig;
  readonly weights: ModelWeights;
  readonly activations: Activations;
  readonly planOptions: PlanOptions;
  readonly plan: ModelPlan;
  /** The distinct WGSL texts of the plan, with the ids of their kernels. */
  readonly modules: ReadonlyMap<string, string>;
}

/** The adapter that a plan is for. */
export interface DryAdapter {
  /** Most bytes that it binds. Default 2 GiB. */
  readonly bindingBytes?: number;
  readonly hasMatrices?: boolean;
}

/** The plan of a checkpoint of any size without a GPU: nothing is allocated, compiled or read but the headers. */
export async function dryPlan(
  files: CheckpointFiles,
  options: LoadModelOptions = {},
  { bindingBytes = 2 ** 31 - 4, hasMatrices = false }: DryAdapter = {},
): Promise<DryPlan> {
  const modules = new Map<string, string>();
  const limits = {
    maxBufferSize: 2 ** 40,
    maxStorageBufferBindingSize: bindingBytes,
    maxComputeInvocationsPerWorkgroup: 1024,
    maxComputeWorkgroupStorageSize: 49152,
    maxComputeWorkgroupSizeX: 1024,
  };
  const gpu = {
    device: {
      limits,
      features: new Set(["subgroups"]),
      queue: { writeBuffer: () => {} },
      createBindGroup: () => ({}),
    },
    adapter: { isSoftware: false },
    variant: "subgroups",
    hasMatrices,
    pipelines: {
      compile: async ({ id, code, bindings }: KernelSource) => {
        modules.set(code, id);
        return { id, bindings };
      },
    },
  } as unknown as Gpu;
  const manifest = await readManifest(files);
  const planOptions = checkedPlanOptions(gpu, manifest, options);
  const buffers = createDryBufferSet(limits);
  const { weights } = layOutWeights(manifest, buffers, planOptions);
  const activations = allocateActivations(buffers, manifest.config, planOptions);
  const plan = await createModelPlan(gpu, { buffers, weights, act: activations }, manifest.config, {
    ...planOptions,
    mxfp4: "half",
  });
  return { gpu, config: manifest.config, weights, activations, planOptions, plan, modules };
}
