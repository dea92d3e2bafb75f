// The rules of ARCHITECTURE.md: which folder may import which, and what only some of them may do.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { repositoryPath } from "./testing/reference.ts";
import { importsOf, type SourceFile, sourceFiles, withoutComments } from "./testing/source-tree.ts";

const files = ["src", "demo", "bench", "e2e"].flatMap((folder) => sourceFiles(folder, ".ts"));
const imports = new Map(files.map((file) => [file.path, importsOf(file)]));

/** Tests, their tables of cases and their fixtures: they may import anything. */
const isTest = (path: string) =>
  /\.(test|cases|self-tests|fixture)\.ts$/.test(path) ||
  path.startsWith("src/testing/") ||
  path.startsWith("e2e/");
const product = files.filter(({ path }) => !isTest(path));

/** `src/gpu/buffers.ts` is of layer gpu, `src/errors.ts` of errors, `demo/main.ts` of demo. */
const layerOf = (path: string) => /^(?:src\/)?([^/.]+)/.exec(path)?.[1] ?? path;
const isOurs = (target: string) => /^(src|demo|bench|e2e|scripts)\//.test(target);

/** Layers by the layers they may use: the arrows of ARCHITECTURE.md, at any distance. */
function layersBelow(): Map<string, Set<string>> {
  const text = readFileSync(repositoryPath("ARCHITECTURE.md"), "utf8");
  const below = new Map<string, Set<string>>();
  const usedBy = (used: string, user: string) => below.set(user, (below.get(user) ?? new Set()).add(used));
  for (const line of (/```layers\n([\s\S]*?)```/.exec(text)?.[1] ?? "").trim().split("\n")) {
    const groups = line.split("→").map((group) => group.split(",").map((name) => name.trim()));
    groups.slice(1).forEach((users, i) => {
      for (const user of users) for (const used of groups[i] ?? []) usedBy(used, user);
    });
  }
  for (let grown = true; grown; ) {
    grown = false;
    for (const used of below.values()) {
      const before = used.size;
      for (const layer of [...used]) for (const further of below.get(layer) ?? []) used.add(further);
      grown ||= used.size > before;
    }
  }
  return below;
}

/** `path -> import` for every import of product code that breaks a rule. */
const broken = (rule: (path: string, target: string) => boolean, among: readonly SourceFile[] = product) =>
  among.flatMap(({ path }) =>
    (imports.get(path) ?? [])
      .filter((target) => !rule(path, target))
      .map((target) => `${path} imports ${target}`),
  );

describe("imports", () => {
  const below = layersBelow();

  it("are found at all", () => {
    expect(files.length).toBeGreaterThan(150);
    expect(imports.get("src/kernels/norm/rms-norm.ts")).toEqual([
      "src/gpu/kernel.ts",
      "src/gpu/steps.ts",
      "src/shaders/norm/rms-norm.wgsl",
      "src/kernels/libraries.ts",
    ]);
    expect(imports.get("src/client/worker-engine.ts")).toContain("src/worker/worker.ts");
  });

  it("name files that exist", () => {
    const existing = new Set([...files, ...sourceFiles("src", ".wgsl")].map(({ path }) => path));
    expect(
      broken((_, target) => !/^(src|demo|bench)\/.*\.(ts|wgsl)$/.test(target) || existing.has(target)),
    ).toEqual([]);
  });

  it("knows every folder from the diagram", () => {
    const known = new Set([...below.keys(), ...[...below.values()].flatMap((used) => [...used]), "errors"]);
    expect(
      [...new Set(product.map(({ path }) => layerOf(path)))].filter((layer) => !known.has(layer)),
    ).toEqual([]);
  });

  it("go only where the diagram's arrows come from", () => {
    const allowed = (path: string, target: string) => {
      const [from, to] = [layerOf(path), layerOf(target)];
      if (!isOurs(target) || from === to) return true;
      return from !== "errors" && (to === "errors" || below.get(from)?.has(to) === true);
    };
    expect(broken(allowed)).toEqual([]);
  });

  it("of the page go through src/index.ts alone", () => {
    const page = product.filter(({ path }) => path.startsWith("demo/"));
    expect(broken((_, target) => !isOurs(target) || /^demo\/|^src\/index\.ts$/.test(target), page)).toEqual(
      [],
    );
  });

  it("never lead from the product to tests, cases, references or src/testing", () => {
    const notTest = (path: string, target: string) =>
      !isOurs(target) ||
      // The bench proves every kernel on the user's adapter before it times it.
      (path === "src/bench/self-tests.ts" && target.endsWith(".self-tests.ts")) ||
      (!isTest(target) && (!target.endsWith(".reference.ts") || path.endsWith(".reference.ts")));
    expect(broken(notTest)).toEqual([]);
  });

  it("of packages stay in one layer each, and Node's own out of what browsers run", () => {
    const homes: Record<string, RegExp> = {
      comlink: /^src\/worker\//,
      "idb-keyval": /^src\/weights\//,
      "@cfworker/json-schema": /^src\/tools\//,
      minisearch: /^src\/tools\//,
      pyodide: /^src\/tools\//,
      "hash-wasm": /^src\/weights\//,
      "@mlc-ai/web-xgrammar": /^src\/grammar\//,
      webgpu: /^src\/desktop\//,
    };
    const atHome = (path: string, target: string) =>
      isOurs(target) ||
      (target.startsWith("node:") ? path.startsWith("src/desktop/") : homes[target]?.test(path) === true);
    expect(broken(atHome)).toEqual([]);
  });

  it("of a shader belong to the kernel of the same name, and of a library to kernels/libraries.ts", () => {
    const own = (path: string, target: string) => {
      const shader = /^src\/shaders\/(.+)\.wgsl$/.exec(target)?.[1];
      if (shader === undefined) return true;
      return path === (shader.startsWith("lib/") ? "src/kernels/libraries.ts" : `src/kernels/${shader}.ts`);
    };
    expect(broken(own)).toEqual([]);
  });

  it("make no cycle between files", () => {
    const done = new Set<string>();
    const cycles: string[] = [];
    const walk = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      if (done.has(path) || trail.includes(path)) return;
      for (const target of imports.get(path) ?? []) walk(target, [...trail, path]);
      done.add(path);
    };
    for (const { path } of files) walk(path, []);
    expect(cycles).toEqual([]);
  });
});

describe("product code", () => {
  /** `path: text` for every place outside `home` where a pattern stands. */
  const places = (pattern: RegExp, home?: RegExp) =>
    product
      .filter(({ path }) => path.startsWith("src/") && home?.test(path) !== true)
      .flatMap(({ path, text }) =>
        [...withoutComments(text).matchAll(pattern)].map(([found]) => `${path}: ${found}`),
      );

  it("makes GPU objects and submits work in gpu/ alone", () => {
    expect(places(/\bdevice\.create\w+|\.submit\(|\bimportExternalTexture/g, /^src\/gpu\//)).toEqual([]);
  });

  it("never writes to the console", () => {
    expect(places(/\bconsole\s*[.[]/g)).toEqual([]);
  });

  it("touches window and document in client/ alone", () => {
    expect(
      places(
        /(?<![.\w])(?:window|document)\s*(?:\?\.|\.|\[)|typeof (?:window|document)\b/g,
        /^src\/client\//,
      ),
    ).toEqual([]);
  });

  it("is pure in format/ and text/, in references and constants of kernels: no GPU, clock, network, storage or chance", () => {
    const impure =
      /\b(?:GPU[A-Z]\w+|navigator|fetch\(|indexedDB|caches|localStorage|performance|Date\.now|new Date\(\)|setTimeout|Math\.random|process)\b/g;
    expect(places(impure, /^src\/(?!format\/|text\/|kernels\/)/)).toEqual([]);
  });

  it("has files of at most 400 lines", () => {
    expect(files.filter(({ text }) => text.split("\n").length > 401).map(({ path }) => path)).toEqual([]);
  });
});
