import { type SourceFile, withoutComments } from "./source-tree.ts";

/**
 * Writes of a part of a vector in workgroup or storage memory, and pointers to such memory, as `path: code`. WGSL lets the
 * write of one component access the whole vector, so it may undo what other invocations write to the others; Metal and
 * Direct3D do so. Names and types count in all files, since libraries and kernels use each other's.
 */
export function componentWrites(files: readonly SourceFile[]): string[] {
  const texts = files.map(({ path, text }) => ({ path, code: withoutComments(text) }));
  const all = texts.map(({ code }) => code).join("\n");
  const types = typesIn(all);
  const everywhere = sharedVariables(all);
  return texts.flatMap(({ path, code }) => {
    const own = sharedVariables(code);
    const locals = new Set(
      [...code.matchAll(/\bvar\s*(?:<\s*private\s*>)?\s*(\w+)/g)].map(([, name]) => name),
    );
    const typesOf = (name: string) => own.get(name) ?? (locals.has(name) ? [] : (everywhere.get(name) ?? []));
    const writes = assignments(code).filter(({ name, steps }) =>
      typesOf(name).some((type) => isPartOfVector(type, steps, types)),
    );
    const pointers = [...code.matchAll(/\bptr<\s*(?:workgroup|storage)\b[^;{)]*/g)].map(([found]) => found);
    return [...writes.map(({ target }) => target), ...pointers].map((found) => `${path}: ${found}`);
  });
}

/** What a name of a type stands for: alternatives of an alias, or the members of a struct. */
interface Types {
  readonly aliases: ReadonlyMap<string, readonly string[]>;
  readonly members: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

function typesIn(code: string): Types {
  const aliases = grouped([...code.matchAll(/\balias\s+(\w+)\s*=\s*([^;]+);/g)]);
  const structs = [...code.matchAll(/\bstruct\s+(\w+)\s*\{([^}]*)\}/g)];
  const members = structs.map(([, name = "", body = ""]) => {
    const fields = topLevelParts(body).map((field) => /(\w+)\s*:\s*([\s\S]+)$/.exec(field) ?? []);
    return [name, new Map(fields.map(([, field = "", type = ""]) => [field, type.trim()]))] as const;
  });
  return { aliases, members: new Map(members) };
}

/** Types of the variables in workgroup and storage memory, by name. */
const sharedVariables = (code: string) =>
  grouped([...code.matchAll(/\bvar<\s*(?:workgroup|storage)\b[^>]*>\s*(\w+)\s*:\s*([^;]+);/g)]);

function grouped(matches: readonly RegExpExecArray[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [, name = "", type = ""] of matches)
    groups.set(name, [...(groups.get(name) ?? []), type.trim()]);
  return groups;
}

/** A write: the variable, then what is taken of it, a member's name or "[]" each. */
interface Assignment {
  readonly name: string;
  readonly steps: readonly string[];
  readonly target: string;
}

function assignments(code: string): Assignment[] {
  return [...code.matchAll(/(?<![\w.])[A-Za-z_]\w*/g)].flatMap(({ 0: name, index }) => {
    const steps: string[] = [];
    let end = index + name.length;
    for (let next = stepAt(code, end); next !== undefined; next = stepAt(code, end)) {
      steps.push(next.step);
      end = next.end;
    }
    const isWritten = /^\s*(?:(?:[-+*/%&|^]|<<|>>)?=(?!=)|\+\+|--)/.test(code.slice(end, end + 20));
    return isWritten ? [{ name, steps, target: code.slice(index, end) }] : [];
  });
}

/** The index or member that begins at `at`, and where it ends. */
function stepAt(code: string, at: number): { readonly step: string; readonly end: number } | undefined {
  const member = /^\.(\w+)/.exec(code.slice(at, at + 60));
  if (member !== null) return { step: member[1] ?? "", end: at + member[0].length };
  if (code[at] !== "[") return undefined;
  let depth = 0;
  for (let end = at; end < code.length; end += 1) {
    if (code[end] === "[") depth += 1;
    if (code[end] === "]") depth -= 1;
    if (depth === 0) return { step: "[]", end: end + 1 };
  }
  return undefined;
}

function isPartOfVector(type: string, [step, ...rest]: readonly string[], types: Types): boolean {
  if (step === undefined) return false;
  const aliases = types.aliases.get(type);
  if (aliases !== undefined) return aliases.some((alias) => isPartOfVector(alias, [step, ...rest], types));
  if (/^vec[234]/.test(type)) return true;
  if (/^mat\d/.test(type)) return rest.length > 0;
  const element = /^array<([\s\S]*)>$/.exec(type)?.[1];
  const inner =
    element === undefined ? types.members.get(type)?.get(step) : (topLevelParts(element)[0] ?? "");
  return inner !== undefined && isPartOfVector(inner, rest, types);
}

/** The parts between commas that stand in no brackets, without those that are empty. */
function topLevelParts(text: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const letter of text) {
    if ("<([".includes(letter)) depth += 1;
    if (">)]".includes(letter)) depth -= 1;
    if (letter === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}
