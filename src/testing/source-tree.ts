import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { repositoryPath } from "./reference.ts";

/** A source file: its path from the repository's root, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Every file below a folder of the repository whose name ends in `ending`, by path. */
export function sourceFiles(folder: string, ending: string): SourceFile[] {
  return readdirSync(repositoryPath(folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => posix.join(folder, name.replaceAll("\\", "/")))
    .sort()
    .map((path) => ({ path, text: readFileSync(repositoryPath(path), "utf8") }));
}

/** TypeScript or WGSL without its comments; texts in quotes that hold `//` are kept whole. */
export function withoutComments(text: string): string {
  return text.replace(
    /("(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)|\/\*[\s\S]*?\*\/|\/\/.*/g,
    (_, quoted?: string) => quoted ?? "",
  );
}

/** What a file imports or re-exports: repository paths (without `?raw` and the like) for relative ones, else package names. */
export function importsOf({ path, text }: SourceFile): string[] {
  const found = withoutComments(text).matchAll(
    /^(?:import|export)\b[^;"`()=]*?\bfrom\s*"([^"]+)"|^import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"|\bnew URL\(\s*"(\.[^"]+)"/gm,
  );
  return [...found].map(([, ...names]) => {
    const name = (names.find((candidate) => candidate !== undefined) ?? "").replace(/\?.*$/, "");
    return name.startsWith(".") ? posix.join(posix.dirname(path), name) : name;
  });
}
