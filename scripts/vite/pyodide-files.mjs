import { join } from "node:path";
import { root } from "../lib/root.mjs";
import { servedFiles } from "./served-files.mjs";

/** What Pyodide needs to run: JavaScript, interpreter, standard library, and the list of its packages. */
export const pyodideFileNames = [
  "pyodide.mjs",
  "pyodide.asm.mjs",
  "pyodide.asm.wasm",
  "python_stdlib.zip",
  "pyodide-lock.json",
];

/**
 * Vite plugin: Pyodide's files lie at `pyodide/` beside the page, in dev and in the build. They are fetched only
 * when the Python tool is first called.
 * @type {typeof import("./pyodide-files.mjs").pyodideFiles}
 */
export function pyodideFiles() {
  const source = join(root, "node_modules/pyodide");
  return servedFiles({ name: "pyodide-files", urlFolder: "pyodide", source, files: pyodideFileNames });
}
