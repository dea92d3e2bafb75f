import { spawnSync } from "node:child_process";
import { gpuEnvironment } from "../lib/gpu-env.mjs";
import { root } from "../lib/root.mjs";

const probe = `
  const { create } = await import("webgpu");
  let adapter = null;
  for (let call = 0; call < 2 && adapter === null; call++) adapter = await create([]).requestAdapter();
  process.exit(adapter === null ? 1 : 0);
`;

/**
 * Environment of the processes that run GPU tests: SwiftShader, the adapter of CI, unless TEST_ADAPTER=auto
 * asks for the machine's GPU or a Vulkan driver is named already.
 * @type {typeof import("./gpu-test-setup.mjs").gpuTestEnvironment}
 */
export function gpuTestEnvironment() {
  const env = gpuEnvironment();
  const icd = process.env.GPT_OSS_SWIFTSHADER_ICD ?? env.GPT_OSS_SWIFTSHADER_ICD;
  const chosen = process.env.VK_ICD_FILENAMES ?? process.env.VK_DRIVER_FILES;
  if (icd !== undefined && chosen === undefined && process.env.TEST_ADAPTER !== "auto")
    env.VK_ICD_FILENAMES = icd;
  return env;
}

/** Vitest's global setup of the gpu project: no adapter is a failure, said in one sentence, never a skip. */
export default function requireAdapter() {
  const env = { ...process.env, ...gpuTestEnvironment() };
  const result = spawnSync(process.execPath, ["--input-type=module", "-e", probe], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  if (result.status === 0) return;
  throw new Error(
    `The GPU tests need a WebGPU adapter, and Dawn gives none here, neither a GPU nor SwiftShader: install Chromium, whose folder holds SwiftShader (npm test does that). ${result.stderr.trim()}`,
  );
}
