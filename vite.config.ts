import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "vite";
import { securityHeaders } from "./scripts/lib/static-server.mjs";
import { embeddedModel } from "./scripts/vite/embedded-model.mjs";
import { pyodideFiles } from "./scripts/vite/pyodide-files.mjs";

// The page. The library and the Node programs are built by scripts/vite/lib.config.mjs and node.config.mjs.

// Vite's dev client needs inline styles and a web socket, so the dev server goes without the CSP.
const { "Content-Security-Policy": _csp, ...devHeaders } = securityHeaders;

/** Every HTML file at the top is a page, and the benchmark in its folder. */
const pages = [
  ...readdirSync(import.meta.dirname).filter((name) => name.endsWith(".html")),
  "bench/index.html",
].map((name) => resolve(import.meta.dirname, name));

export default defineConfig({
  // Relative, so that the built page works in any folder of any host.
  base: "./",
  publicDir: false,
  plugins: [embeddedModel(), pyodideFiles()],
  worker: { format: "es" },
  server: { headers: devHeaders },
  build: {
    outDir: "dist/page",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: true,
    // Data URLs would need exceptions in the CSP.
    assetsInlineLimit: 0,
    // The polyfill is an inline script, and every browser with WebGPU preloads modules.
    modulePreload: { polyfill: false },
    rolldownOptions: { input: pages },
  },
});
