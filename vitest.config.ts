import { defineConfig } from "vitest/config";
import { gpuTestEnvironment } from "./scripts/vite/gpu-test-setup.mjs";

// Two projects: `unit` is pure (no GPU, no browser); `gpu` runs WGSL through Dawn (`*.gpu.test.ts`).
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "demo/**/*.test.ts", "scripts/**/*.test.mjs"],
          exclude: ["**/*.gpu.test.ts"],
          environment: "node",
        },
      },
      {
        test: {
          name: "gpu",
          include: ["src/**/*.gpu.test.ts"],
          environment: "node",
          // Forks, because the dynamic linker reads LD_LIBRARY_PATH only when a process starts.
          pool: "forks",
          env: gpuTestEnvironment(),
          globalSetup: "scripts/vite/gpu-test-setup.mjs",
          maxWorkers: 2,
          // The longest takes 20 s on two free cores; on busy ones SwiftShader is many times slower.
          testTimeout: 400_000,
          hookTimeout: 400_000,
        },
      },
    ],
  },
});
