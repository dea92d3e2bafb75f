import { EngineError } from "../errors.ts";
import type { BindingKind, KernelSource } from "./kernel.ts";

/** A compiled kernel. */
export interface Pipeline<Name extends string = string> {
  readonly id: string;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly bindings: Readonly<Record<Name, BindingKind>>;
}

const bufferTypes: Readonly<Record<BindingKind, GPUBufferBindingType>> = {
  uniform: "uniform",
  read: "read-only-storage",
  read_write: "storage",
};

/** Compiles kernels, each distinct text once; a failed compilation is forgotten, so that it can be tried again. */
export interface PipelineCache {
  /** @throws shader-compile with kernel, line, column and the compiler's words */
  compile<Name extends string>(source: KernelSource<Name>): Promise<Pipeline<Name>>;
  readonly size: number;
}

export function createPipelineCache(device: GPUDevice): PipelineCache {
  const cache = new Map<string, Promise<Pipeline>>();
  return {
    get size() {
      return cache.size;
    },
    compile<Name extends string>(source: KernelSource<Name>): Promise<Pipeline<Name>> {
      const known = cache.get(source.code);
      if (known !== undefined) return known as Promise<Pipeline<Name>>;
      const compiled = compileKernel(device, source);
      cache.set(source.code, compiled);
      compiled.catch(() => cache.delete(source.code));
      return compiled;
    },
  };
}

async function compileKernel<Name extends string>(
  device: GPUDevice,
  source: KernelSource<Name>,
): Promise<Pipeline<Name>> {
  const kinds = Object.values<BindingKind>(source.bindings);
  // What is wrong with the text is told by the compilation below; outside a scope it would be a fault of the device too.
  device.pushErrorScope("validation");
  const layout = device.createBindGroupLayout({
    label: source.id,
    entries: kinds.map((kind, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: bufferTypes[kind] },
    })),
  });
  const pipelineLayout = device.createPipelineLayout({ label: source.id, bindGroupLayouts: [layout] });
  const module = device.createShaderModule({ label: source.id, code: source.code });
  device.popErrorScope().catch(() => {}); // a lost device fails the compilation as well
  try {
    const pipeline = await device.createComputePipelineAsync({
      label: source.id,
      layout: pipelineLayout,
      compute: { module, entryPoint: "main" },
    });
    return { id: source.id, pipeline, layout, bindings: source.bindings };
  } catch (cause) {
    throw await compileError(module, source, cause);
  }
}

async function compileError(
  module: GPUShaderModule,
  source: KernelSource,
  cause: unknown,
): Promise<EngineError> {
  const info = await module.getCompilationInfo().catch(() => undefined);
  const first = info?.messages.find((message) => message.type === "error");
  const lineText = first === undefined ? "" : (source.code.split("\n")[first.lineNum - 1] ?? "").trim();
  // The first line is the sentence; what follows lists candidates and repeats the text.
  const message =
    first?.message.split("\n", 1)[0] ?? (cause instanceof Error ? cause.message : String(cause));
  return new EngineError(
    "shader-compile",
    `Kernel ${source.id} did not compile: ${message}${lineText === "" ? "" : ` in \`${lineText}\``}`,
    {
      details: {
        kernel: source.id,
        line: first?.lineNum ?? 0,
        column: first?.linePos ?? 0,
        sourceLine: lineText,
      },
      cause,
    },
  );
}

/** A binding: a whole buffer or a range of one. */
export type Bindable = GPUBuffer | GPUBufferBinding;

/** Binds buffers by name. */
export function bind<Name extends string>(
  { device }: { readonly device: GPUDevice },
  pipeline: Pipeline<Name>,
  buffers: Readonly<Record<Name, Bindable>>,
): GPUBindGroup {
  const names = Object.keys(pipeline.bindings) as Name[];
  return device.createBindGroup({
    label: pipeline.id,
    layout: pipeline.layout,
    entries: names.map((name, binding) => {
      const value: Bindable = buffers[name];
      const resource: GPUBufferBinding = "buffer" in value ? value : { buffer: value };
      return { binding, resource };
    }),
  });
}
