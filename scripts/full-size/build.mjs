// node scripts/full-size/build.mjs: builds the proof at full size into dist/full-size, which needs no node_modules but
// playwright-core, and the library beside it (dist/lib). See prove.ts.
import { cpSync } from "node:fs";
import { build } from "vite";
import { ensureBuilt } from "../lib/ensure-built.mjs";
import { root } from "../lib/root.mjs";

const folder = `${root}/scripts/full-size`;
const shared = /** @type {const} */ ({ root, configFile: false, publicDir: false, logLevel: "warn" });

await ensureBuilt("lib");
await build({
  ...shared,
  build: {
    outDir: "dist/full-size/page",
    emptyOutDir: true,
    target: "es2022",
    minify: false,
    modulePreload: false,
    rolldownOptions: {
      input: { trip: `${folder}/page/trip.ts`, "direct-worker": `${folder}/page/direct-worker.ts` },
      output: { entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js", format: "es" },
      preserveEntrySignatures: "allow-extension",
    },
  },
});
cpSync(`${folder}/page/index.html`, `${root}/dist/full-size/page/index.html`);
await build({
  ...shared,
  ssr: { noExternal: true, external: ["webgpu", "playwright-core"] },
  build: {
    ssr: true,
    outDir: "dist/full-size",
    emptyOutDir: false,
    target: "node20",
    minify: false,
    rolldownOptions: {
      input: `${folder}/prove.ts`,
      output: { entryFileNames: "prove.mjs", codeSplitting: false },
    },
  },
});
