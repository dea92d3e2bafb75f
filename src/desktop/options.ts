import { type ParseArgsConfig, parseArgs } from "node:util";
import type { AdapterChoice } from "./dawn.ts";
import { usageError } from "./exit.ts";

type OptionTable = NonNullable<ParseArgsConfig["options"]>;

/** Options of every command that runs a model. */
const common = {
  model: { type: "string" },
  tokenizer: { type: "string" },
  lora: { type: "string" },
  adapter: { type: "string" },
  kv: { type: "string" },
  dense: { type: "string" },
  activations: { type: "string" },
  variant: { type: "string" },
  "no-matrices": { type: "boolean" },
  "context-length": { type: "string" },
} satisfies OptionTable;

/** Parsed command line: text options, switches, and what stood free. */
export interface Options {
  /** @throws request-invalid where it is given without a value, such as `--date ''` */
  text(name: string): string | undefined;
  /** @throws request-invalid where it is missing or empty */
  required(name: string): string;
  flag(name: string): boolean;
  /** A number within bounds. @throws request-invalid */
  number(
    name: string,
    bounds: { readonly least: number; readonly most: number; readonly whole?: boolean },
  ): number | undefined;
  /** One of the given words. @throws request-invalid */
  choice<T extends string>(name: string, words: readonly T[]): T | undefined;
  readonly free: readonly string[];
}

/** Parses arguments against a command's own options and those of all commands with a model. @throws request-invalid */
export function parseOptions(
  args: readonly string[],
  own: OptionTable,
  shared: OptionTable = common,
): Options {
  const parsed = parse(args, { ...shared, ...own });
  const text = (name: string) => {
    const value = parsed.values[name];
    if (value === "") throw usageError(`--${name} has an empty value.`);
    return typeof value === "string" ? value : undefined;
  };
  return {
    text,
    required(name) {
      const value = text(name);
      if (value === undefined) throw usageError(`--${name} is missing.`);
      return value;
    },
    flag: (name) => parsed.values[name] === true,
    number(name, { least, most, whole = true }) {
      const value = text(name);
      if (value === undefined) return undefined;
      const number = value.trim() === "" ? Number.NaN : Number(value);
      if (!(number >= least && number <= most) || (whole && !Number.isInteger(number))) {
        throw usageError(
          `--${name} must be a ${whole ? "whole " : ""}number from ${least} to ${most}, got "${value}".`,
        );
      }
      return number;
    },
    choice(name, words) {
      const value = text(name);
      if (value === undefined) return undefined;
      const word = words.find((candidate) => candidate === value);
      if (word === undefined)
        throw usageError(`--${name} must be one of ${words.join(", ")}, got "${value}".`);
      return word;
    },
    free: parsed.positionals,
  };
}

interface Parsed {
  readonly values: Readonly<Record<string, unknown>>;
  readonly positionals: readonly string[];
}

function parse(args: readonly string[], options: OptionTable): Parsed {
  try {
    return parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, option] = /^Option '(--[\w-]+)[^']*' argument is ambiguous/.exec(message) ?? [];
    if (option !== undefined)
      throw usageError(`${option} has no value, or one that begins with a dash: write that as ${option}=-1.`);
    const [, unknown] = /^Unknown option ('[^']*')/.exec(message) ?? [];
    if (unknown !== undefined) throw usageError(`There is no option ${unknown} (--help lists them).`);
    throw usageError(message.split(/(?<=\.) |\n/, 1)[0] ?? message); // one sentence of Node's several
  }
}

/** True where the arguments ask for help; what stands after `--` asks for nothing. */
export function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? args.length : end).includes("--help");
}

/** `--adapter`, auto where it is not given. */
export const adapterChoice = (options: Options): AdapterChoice =>
  options.choice("adapter", ["auto", "swiftshader"]) ?? "auto";

/** For commands that take options alone. @throws request-invalid */
export function refuseFree(options: Options): void {
  const [first] = options.free;
  if (first !== undefined) throw usageError(`"${first}" belongs to no option (--help lists them).`);
}

/** `--tokens` as ids: a JSON array of whole numbers of at least 0, `least` of them at least. @throws request-invalid */
export function tokenList(options: Options, { least = 1 }: { readonly least?: 0 | 1 } = {}): number[] {
  const text = options.required("tokens");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw usageError(`--tokens must be a JSON array of token ids such as [1,2,3], got ${shorten(text)}.`);
  }
  if (
    !Array.isArray(value) ||
    value.length < least ||
    !value.every((id) => Number.isSafeInteger(id) && id >= 0)
  ) {
    throw usageError(
      `--tokens must be a JSON array of ${least === 0 ? "token ids" : "at least one token id"}, all whole numbers from 0, got ${shorten(text)}.`,
    );
  }
  return value as number[];
}

const shorten = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
