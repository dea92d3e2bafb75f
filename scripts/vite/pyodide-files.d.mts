import type { Plugin } from "vite";

/** The files of the package `pyodide` that are needed at run time. */
export const pyodideFileNames: readonly string[];

/** Pyodide's files from node_modules at `pyodide/` beside the page. */
export function pyodideFiles(): Plugin;
