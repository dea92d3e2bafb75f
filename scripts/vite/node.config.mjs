import { existsSync } from "node:fs";
import { defineConfig } from "vite";
import { root } from "../lib/root.mjs";

const entries = ["cli", "bench", "grammar-thread"].filter((name) =>
  existsSync(`${root}/src/desktop/${name}.ts`),
);

/** The Node programs: everything bundled but `webgpu`, which is native (DAWN_NODE may name another dawn.node). */
export default defineConfig({
  root,
  publicDir: false,
  ssr: { noExternal: true, external: ["webgpu"] },
  build: {
    ssr: true,
    outDir: "dist/node",
    emptyOutDir: true,
    target: "node20",
    minify: false,
    sourcemap: true,
    rolldownOptions: {
      input: Object.fromEntries(entries.map((name) => [name, `src/desktop/${name}.ts`])),
      output: { entryFileNames: "[name].mjs", chunkFileNames: "chunks/[name]-[hash].mjs" },
    },
  },
});
