// npm run build:gpu-tests: bundles the GPU tests into dist/standalone/gpu-tests.mjs, which needs Node, a Dawn
// (DAWN_NODE or node_modules/webgpu), fixtures/ and models/, but no other package: for checking a GPU host.
import { build } from "vite";
import { root } from "../lib/root.mjs";

await build({
  root,
  configFile: false,
  publicDir: false,
  logLevel: "warn",
  resolve: { alias: { vitest: `${root}/scripts/standalone/vitest-stand-in.ts` } },
  ssr: { noExternal: true, external: ["webgpu"] },
  build: {
    ssr: true,
    outDir: "dist/standalone",
    target: "node20",
    minify: false,
    rolldownOptions: {
      input: `${root}/scripts/standalone/gpu-tests.ts`,
      output: { entryFileNames: "[name].mjs", codeSplitting: false },
    },
  },
});
