import { defineConfig } from "vitest/config";

// Two projects: `unit` is pure (no GPU, no browser); `gpu` runs WGSL through Dawn (`*.gpu.test.ts`).
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["src/**/*.test.ts"], exclude: ["src/**/*.gpu.test.ts"], environment: "node" } },
      {
        test: {
          name: "gpu",
          include: ["src/**/*.gpu.test.ts"],
          environment: "node",
          pool: "forks",
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
