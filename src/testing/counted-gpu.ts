import { openDawn } from "../desktop/dawn.ts";

/** A WebGPU whose devices are watched: what is allocated, and a hold on the device itself. */
export interface CountedGpu {
  readonly gpu: GPU;
  /** The device opened last. */
  device(): GPUDevice;
  /** How many devices were opened. */
  devices(): number;
  /** Buffers made and not yet destroyed, over all devices. */
  liveBuffers(): number;
  /** Buffers made so far. */
  madeBuffers(): number;
  /** The next `createBuffer` with this label reports that there is no memory. */
  failAllocation(label: string): void;
  /** Called after every submit, with their number on this device; one listener at a time. */
  onSubmit(listener: ((count: number) => void) | undefined): void;
}

/** The adapter that the tests run on, behind a WebGPU that counts. */
export async function openCountedGpu(): Promise<CountedGpu> {
  const real = await openDawn(process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader");
  const devices: GPUDevice[] = [];
  const live = new Set<GPUBuffer>();
  let made = 0;
  let failing: string | undefined;
  let listener: ((count: number) => void) | undefined;

  function watch(device: GPUDevice): GPUDevice {
    const createBuffer = device.createBuffer.bind(device);
    const popErrorScope = device.popErrorScope.bind(device);
    const submit = device.queue.submit.bind(device.queue);
    let submits = 0;
    let noMemory = false;
    device.popErrorScope = async () => {
      const fails = noMemory;
      noMemory = false;
      const error = await popErrorScope();
      return fails ? new GPUOutOfMemoryError("no memory, says the test") : error;
    };
    device.queue.submit = (commands) => {
      const result = submit(commands);
      submits += 1;
      listener?.(submits);
      return result;
    };
    device.createBuffer = (descriptor) => {
      noMemory = failing !== undefined && descriptor.label === failing;
      if (noMemory) failing = undefined;
      const buffer = createBuffer(descriptor);
      made += 1;
      live.add(buffer);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        live.delete(buffer);
        return destroy();
      };
      return buffer;
    };
    devices.push(device);
    return device;
  }

  const requestAdapter: GPU["requestAdapter"] = async (options) => {
    const adapter = await real.requestAdapter(options);
    if (adapter === null) return null;
    const requestDevice = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) => watch(await requestDevice(descriptor));
    return adapter;
  };
  return {
    gpu: { requestAdapter, real } as unknown as GPU,
    device() {
      const device = devices.at(-1);
      if (device === undefined) throw new Error("No device was opened yet");
      return device;
    },
    devices: () => devices.length,
    liveBuffers: () => live.size,
    madeBuffers: () => made,
    failAllocation(label) {
      failing = label;
    },
    onSubmit(given) {
      listener = given;
    },
  };
}
