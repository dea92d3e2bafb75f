import { openDawn } from "../desktop/dawn.ts";
import { type Gpu, openGpu } from "../gpu/gpu.ts";

let shared: Promise<Gpu> | undefined;

/** One device for a test file (Dawn on SwiftShader, or on a real GPU with TEST_ADAPTER=auto). No adapter is a failure. */
export function testGpu(): Promise<Gpu> {
  shared ??= openDawn(process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader").then((gpu) =>
    openGpu(gpu),
  );
  return shared;
}
