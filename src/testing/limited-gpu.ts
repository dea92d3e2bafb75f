/** Limits that a test lowers. */
export type LoweredLimits = Partial<
  Record<
    | "maxBufferSize"
    | "maxStorageBufferBindingSize"
    | "maxComputeWorkgroupStorageSize"
    | "maxComputeInvocationsPerWorkgroup"
    | "maxComputeWorkgroupSizeX",
    number
  >
>;

const mib = 1024 * 1024;

/** What every adapter must have: the defaults of the WebGPU specification for the limits that the engine raises. */
export const defaultLimits: LoweredLimits = {
  maxBufferSize: 256 * mib,
  maxStorageBufferBindingSize: 128 * mib,
  maxComputeWorkgroupStorageSize: 16 * 1024,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
};

/**
 * The same WebGPU, whose adapters offer no more than this. Devices are opened with these limits where they are not below
 * WebGPU's defaults, and say in any case that they have no more, so that a tiny model can be split like a large one.
 */
export function withLimits(gpu: GPU, lowered: LoweredLimits): GPU {
  const limits = new Map<string | symbol, number>(Object.entries(lowered));
  const lower = (offered: GPUSupportedLimits) =>
    new Proxy(offered, { get: (_, name) => limits.get(name) ?? offered[name as keyof GPUSupportedLimits] });
  return {
    gpu, // Dawn in Node frees its instance with this object
    async requestAdapter(options?: GPURequestAdapterOptions) {
      const adapter = await gpu.requestAdapter(options);
      if (adapter === null) return null;
      const requestDevice = adapter.requestDevice.bind(adapter);
      Object.defineProperty(adapter, "limits", { value: lower(adapter.limits) });
      adapter.requestDevice = async (descriptor) => {
        const device = await requestDevice(descriptor);
        Object.defineProperty(device, "limits", { value: lower(device.limits) });
        return device;
      };
      return adapter;
    },
  } as unknown as GPU;
}
