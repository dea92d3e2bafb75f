import { EngineError } from "../errors.ts";
import type { KernelVariant } from "./variant.ts";

/** How a kernel uses a binding. `uniform` is the step state; weights and inputs are `read`. */
export type BindingKind = "uniform" | "read" | "read_write";

/** A constant in the WGSL prelude: whole numbers are u32, `f32(x)` marks a float, booleans stay bool. */
export type KernelConstant = number | boolean | { readonly f32: number };

/** Marks a kernel constant as f32. */
export const f32 = (value: number): KernelConstant => ({ f32: value });

/** Shared WGSL put before a kernel: one text, one per variant, or one chosen by the target. */
export type KernelLibrary =
  | string
  | Readonly<Record<KernelVariant, string>>
  | ((target: KernelTarget) => string);

/** How MXFP4 codes are expanded: by f32 bits, right everywhere, or through f16, where subnormals survive. */
export type Mxfp4Form = "bits" | "half";

interface WorkgroupSizes {
  readonly software?: number;
  readonly large?: number;
}

/**
 * A kernel as data: `gpu/` compiles and runs it. One WGSL file, whose bindings stand in group 0 in the order of
 * `bindings`; the numbers of a shape are constants written before the text.
 */
export interface KernelDefinition<Shape, Name extends string = string> {
  /** File base name, GPU label, bench row. */
  readonly id: string;
  readonly wgsl: string;
  readonly libraries: readonly KernelLibrary[] | ((shape: Shape) => readonly KernelLibrary[]);
  readonly bindings: Readonly<Record<Name, BindingKind>>;
  readonly constants: (shape: Shape) => Readonly<Record<string, KernelConstant>>;
  /**
   * WG_SIZE where it is not the one of `constants`. `software`: on a CPU adapter; SwiftShader runs a workgroup with
   * barriers as one fiber for every four invocations, and each costs some 5 us a barrier, so that small workgroups are
   * many times faster there. `large`: where the adapter allows so many invocations (256 is what all allow).
   */
  readonly workgroupSizes?: WorkgroupSizes | ((shape: Shape) => WorkgroupSizes);
  /** Rules that a shape breaks, as sentences; empty where it is fine. */
  readonly check?: (shape: Shape) => readonly string[];
}

/** A kernel for one shape and variant, ready to compile. `key` is equal exactly where the code is. */
export interface KernelSource<Name extends string = string> {
  readonly id: string;
  readonly code: string;
  readonly bindings: Readonly<Record<Name, BindingKind>>;
}

/** Declares a kernel (identity function that fixes the types). */
export function defineKernel<Shape, Name extends string>(
  definition: KernelDefinition<Shape, Name>,
): KernelDefinition<Shape, Name> {
  return definition;
}

/** `n` must be a multiple of `divisor`, else a sentence. For `check`. */
export function divisible(name: string, value: number, divisor: number): string[] {
  return value > 0 && value % divisor === 0
    ? []
    : [`${name} (${value}) must be a positive multiple of ${divisor}`];
}

/** What a kernel's text depends on beside its shape. */
export interface KernelTarget {
  readonly variant: KernelVariant;
  /** True for a CPU adapter. Default false. */
  readonly isSoftware?: boolean;
  /** Default bits. */
  readonly mxfp4?: Mxfp4Form;
  /** Most invocations of a workgroup. Default 256, which every adapter allows. */
  readonly maxWorkgroupSize?: number;
}

/**
 * Puts a kernel's text together for one shape and adapter.
 * @throws limit-exceeded where the shape breaks a rule of the kernel
 */
export function composeKernel<Shape, Name extends string>(
  definition: KernelDefinition<Shape, Name>,
  shape: Shape,
  target: KernelTarget,
): KernelSource<Name> {
  const broken = definition.check?.(shape) ?? [];
  if (broken.length > 0) {
    throw new EngineError(
      "limit-exceeded",
      `Kernel ${definition.id} cannot run this shape: ${broken.join("; ")}.`,
      { details: { kernel: definition.id } },
    );
  }
  const libraries =
    typeof definition.libraries === "function" ? definition.libraries(shape) : definition.libraries;
  const texts = libraries.map((library) => libraryText(library, target));
  const constants = { ...definition.constants(shape) };
  const sizes = definition.workgroupSizes ?? {};
  const workgroupSize = workgroupSizeFor(typeof sizes === "function" ? sizes(shape) : sizes, target);
  if (workgroupSize !== undefined) constants.WG_SIZE = workgroupSize;
  const body = [...Object.entries(constants).map(constantLine), ...texts, definition.wgsl].join("\n");
  const code = `${directives(body.replace(/\/\/.*$/gm, "")).join("")}${body}`;
  return { id: definition.id, code, bindings: definition.bindings };
}

/** The language features that a text uses. */
function directives(text: string): string[] {
  return [
    ...(/\bsubgroup(?!Matrix|_matrix)[A-Z_a-z]*\b/.test(text) ? ["enable subgroups;\n"] : []),
    ...(/\bdot4I8Packed\b/.test(text) ? ["requires packed_4x8_integer_dot_product;\n"] : []),
    ...(/\bf16\b/.test(text) ? ["enable f16;\n"] : []),
    ...(/\bsubgroup_matrix/.test(text)
      ? [
          "enable chromium_experimental_subgroup_matrix;\n",
          "diagnostic(off, chromium.subgroup_matrix_uniformity);\n",
        ]
      : []),
  ];
}

function libraryText(library: KernelLibrary, target: KernelTarget): string {
  if (typeof library === "string") return library;
  return typeof library === "function" ? library(target) : library[target.variant];
}

function workgroupSizeFor(
  { software, large }: WorkgroupSizes,
  { isSoftware = false, maxWorkgroupSize = 256 }: KernelTarget,
): number | undefined {
  if (isSoftware) return software;
  return large !== undefined && large <= maxWorkgroupSize ? large : undefined;
}

function constantLine([name, value]: [string, KernelConstant]): string {
  if (typeof value === "boolean") return `const ${name}: bool = ${value};`;
  if (typeof value === "object") return `const ${name}: f32 = ${floatLiteral(value.f32)};`;
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
    throw new EngineError("internal", `Constant ${name} = ${value} is not a u32.`);
  return `const ${name}: u32 = ${value}u;`;
}

function floatLiteral(value: number): string {
  const text = String(Math.fround(value));
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}
