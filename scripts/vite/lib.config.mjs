import { defineConfig } from "vite";
import { root } from "../lib/root.mjs";

/** Scripts that the library starts as workers, and those that the engine's worker starts. */
const workersOf = {
  index: ["worker", "python-worker"],
  worker: ["grammar-worker", "hash-worker", "read-worker"],
};

/**
 * Vite writes a worker's address as a URL within a URL, which the bundlers of embedders do not recognise as a
 * worker. This writes the form they all know, and fails the build when one is missing.
 * @param {"index" | "worker"} starter the script that starts them
 * @returns {import("vite").Plugin}
 */
function plainWorkerUrls(starter) {
  return {
    name: "plain-worker-urls",
    enforce: "post",
    generateBundle(_options, bundle) {
      const script = bundle[`${starter}.js`];
      if (script?.type !== "chunk") return;
      const nested =
        /new Worker\(\s*new URL\((?:(?!new Worker)[^;])*?"([\w-]+)\.js"[^;]*?import\.meta\.url\s*\)(?:\.href)?,\s*(?:""\s*\+\s*)?import\.meta\.url\s*\)/g;
      script.code = script.code.replace(nested, (_, name) => plainForm(name));
      for (const name of workersOf[starter]) {
        if (script.code.includes(plainForm(name))) continue;
        this.error(
          `dist/lib/${starter}.js must contain ${plainForm(name)}: has the way this worker is made changed?`,
        );
      }
    },
  };
}

/** @param {string} name */
function plainForm(name) {
  return `new Worker(new URL("./${name}.js", import.meta.url)`;
}

/** The npm library: index.js and its workers side by side, nothing imported from outside. */
export default defineConfig({
  root,
  base: "./",
  publicDir: false,
  plugins: [plainWorkerUrls("index")],
  worker: {
    format: "es",
    plugins: () => [plainWorkerUrls("worker")],
    rolldownOptions: { output: { entryFileNames: "[name].js", codeSplitting: false } },
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
