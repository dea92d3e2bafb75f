// Both trees of kernels side by side: every WGSL file has its TypeScript twin, whose bindings are the shader's, a
// float64 reference and a GPU test.
import { describe, expect, it } from "vitest";
import type { BindingKind } from "./gpu/kernel.ts";
import { sourceFiles, withoutComments } from "./testing/source-tree.ts";

interface Twin {
  readonly id: string;
  readonly bindings: Readonly<Record<string, BindingKind>>;
}

const shaders = sourceFiles("src/shaders", ".wgsl").map(({ path, text }) => {
  const [family = "", id = ""] = path.replace(/^src\/shaders\/|\.wgsl$/g, "").split("/");
  return { family, id, path, text };
});
const kernels = shaders.filter(({ family }) => family !== "lib");
const libraries = shaders.filter(({ family }) => family === "lib");
const kernelFiles = sourceFiles("src/kernels", ".ts");
const modules = import.meta.glob<Record<string, unknown>>("./kernels/*/*.ts");

const isTwin = (value: unknown): value is Twin =>
  typeof value === "object" && value !== null && "wgsl" in value && "bindings" in value;

/** The kernel that `kernels/<family>/<id>.ts` exports. */
async function twinOf(family: string, id: string): Promise<Twin | undefined> {
  const module = await modules[`./kernels/${family}/${id}.ts`]?.();
  return Object.values(module ?? {}).find(isTwin);
}

const camel = (name: string) => name.replace(/[_-](\w)/g, (_, letter: string) => letter.toUpperCase());

/** `[number, name, kind]` of every binding, as the WGSL text declares them. */
function declaredBindings(wgsl: string): [group: number, binding: number, name: string, kind: string][] {
  const pattern = /@group\((\d+)\)\s*@binding\((\d+)\)\s*var<\s*(\w+)\s*(?:,\s*(\w+)\s*)?>\s*(\w+)\s*:/g;
  return [...withoutComments(wgsl).matchAll(pattern)].map(([, group, binding, space, access, name]) => [
    Number(group),
    Number(binding),
    camel(name ?? ""),
    space === "uniform" ? "uniform" : (access ?? "read"),
  ]);
}

it("finds both trees", () => {
  expect(kernels.length).toBeGreaterThan(15);
  expect(libraries.length).toBeGreaterThan(10);
});

it("has no kernel without a shader", () => {
  const defined = kernelFiles.flatMap(({ path, text }) =>
    /\bdefineKernel\(/.test(text) ? [path.replace(/^src\/kernels\/|\.ts$/g, "")] : [],
  );
  expect(defined.sort()).toEqual(kernels.map(({ family, id }) => `${family}/${id}`).sort());
});

describe.each(kernels)("$family/$id", ({ family, id, text }) => {
  it("has a twin with its id, exported in camel case", async () => {
    expect((await twinOf(family, id))?.id).toBe(id);
    expect(await modules[`./kernels/${family}/${id}.ts`]?.()).toHaveProperty(camel(id));
  });

  it("declares the bindings that its twin names, in that order", async () => {
    const twin = await twinOf(family, id);
    expect(declaredBindings(text)).toEqual(
      Object.entries(twin?.bindings ?? {}).map(([name, kind], i) => [0, i, name, kind]),
    );
    expect(withoutComments(text).match(/@binding/g)).toHaveLength(declaredBindings(text).length);
  });

  it("binds at most 8 storage buffers, which every adapter allows", () => {
    expect(declaredBindings(text).filter(([, , , kind]) => kind !== "uniform").length).toBeLessThanOrEqual(8);
  });

  it("has one entry point, main, and nothing to fill in", () => {
    const code = withoutComments(text);
    expect(
      [...code.matchAll(/@(?:compute|vertex|fragment)\b[\s\S]*?\bfn\s+(\w+)/g)].map(([, name]) => name),
    ).toEqual(["main"]);
    expect(code).not.toMatch(/\$\{|\{\{|^\s*#|^\s*enable\b/m);
  });

  it("is tested on the GPU against a float64 reference of its family", () => {
    const camelId = camel(id);
    const tests = kernelFiles.filter(
      ({ path, text: test }) =>
        path.startsWith(`src/kernels/${family}/`) &&
        path.endsWith(".gpu.test.ts") &&
        new RegExp(`\\b${camelId}\\b`).test(test) &&
        test.includes(`/${id}.ts"`),
    );
    expect(tests.map(({ path }) => path)).not.toEqual([]);
    // The reference may come by way of the table of cases that the forms of an operation share.
    const reached = tests.flatMap(({ text: test }) => [
      test,
      ...[...test.matchAll(/"(?:\.\/|\.\.\/\.\.\/)([\w/.-]+)\.ts"/g)].flatMap(([, name = ""]) =>
        [...kernelFiles, ...sourceFiles("src/testing", ".ts")]
          .filter(({ path }) => path === `src/kernels/${family}/${name}.ts` || path === `src/${name}.ts`)
          .map(({ text: helper }) => helper),
      ),
    ]);
    expect(reached.some((source) => /\.reference\.ts"/.test(source))).toBe(true);
  });
});

describe.each(libraries)("lib/$id", ({ id, text }) => {
  it("has no entry point", () => {
    expect(withoutComments(text)).not.toMatch(/@(?:compute|workgroup_size|binding)\b/);
  });

  it("is offered by kernels/libraries.ts", () => {
    const offered = kernelFiles.find(({ path }) => path === "src/kernels/libraries.ts")?.text;
    expect(offered).toContain(`"../shaders/lib/${id}.wgsl?raw"`);
  });
});

it.each(shaders)("$path begins with what it computes and stays under 250 lines", ({ family, id, text }) => {
  expect(text.startsWith(family === "lib" ? "// " : `// ${id}: `)).toBe(true);
  expect(text.split("\n").length).toBeLessThanOrEqual(250);
});
