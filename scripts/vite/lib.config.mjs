import { defineConfig } from "vite";
import { root } from "../lib/root.mjs";

const wanted = 'new Worker(new URL("./worker.js", import.meta.url)';

/**
 * Vite writes the worker's address as a URL within a URL, which the bundlers of embedders do not recognise as a
 * worker. This writes the form they all know, and fails the build when there is nothing left to rewrite.
 * @returns {import("vite").Plugin}
 */
function plainWorkerUrl() {
  return {
    name: "plain-worker-url",
    enforce: "post",
    generateBundle(_options, bundle) {
      const index = bundle["index.js"];
      if (index?.type !== "chunk") return;
      const nested =
        /new Worker\(\s*new URL\([^;]*?"worker\.js"[^;]*?import\.meta\.url\s*\)(?:\.href)?,\s*(?:""\s*\+\s*)?import\.meta\.url\s*\)/;
      index.code = index.code.replace(nested, wanted);
      if (!index.code.includes(wanted)) {
        this.error(
          `dist/lib/index.js must contain ${wanted}: has the way the client makes its worker changed?`,
        );
      }
    },
  };
}

/** The npm library: index.js and worker.js side by side, nothing imported from outside. */
export default defineConfig({
  root,
  base: "./",
  publicDir: false,
  plugins: [plainWorkerUrl()],
  worker: {
    format: "es",
    rolldownOptions: { output: { entryFileNames: "worker.js", codeSplitting: false } },
  },
  build: {
    outDir: "dist/lib",
    emptyOutDir: true,
    target: "es2022",
    minify: false,
    sourcemap: true,
    lib: { entry: "src/index.ts", formats: ["es"], fileName: "index" },
    rolldownOptions: { output: { entryFileNames: "index.js", codeSplitting: false } },
  },
});
