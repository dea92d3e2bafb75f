import { EngineError } from "../errors.ts";
import { byteCharacters, byteOf } from "./byte-level.ts";

/** The parts of tokenizer.json that encoding needs, checked. */
export interface TokenizerFile {
  /** Text tokens in the byte-level alphabet → id. No special token is among them. */
  readonly vocab: ReadonlyMap<string, number>;
  /** The same as an object: the caller's own unless something had to be removed. */
  readonly vocabObject: object;
  /** Pairs, or "left right" strings, by rank. The caller's array unless something had to be removed. */
  readonly merges: readonly unknown[];
  readonly ignoreMerges: boolean;
  readonly preTokenizer: object;
  /** Added tokens by text. */
  readonly specials: ReadonlyMap<string, number>;
  /** One more than the highest id. */
  readonly vocabSize: number;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Bounds against hostile files; gpt-oss has 200 k tokens and 446 k merges. */
const MAX_TOKEN_ID = 1 << 21;
const MAX_MERGES = 1 << 22;

/**
 * Checks a parsed tokenizer.json (and its tokenizer_config.json) for what byte-level BPE encoding relies on:
 * with it, every text has tokens and every token has bytes.
 * @throws tokenizer-invalid
 */
export function readTokenizerFile(tokenizerJson: unknown, tokenizerConfig?: unknown): TokenizerFile {
  const root = object(tokenizerJson, "the file");
  const model = object(root.model, "model");
  checkPipeline(root, model);
  const specials = readSpecials(root, tokenizerConfig);
  const given = object(model.vocab, "model.vocab");
  const { vocab, removed, highestId } = readVocab(given, specials);
  return {
    vocab,
    vocabObject: removed.size === 0 ? given : Object.fromEntries(vocab),
    merges: readMerges(model.merges, vocab, removed),
    ignoreMerges: model.ignore_merges === true,
    preTokenizer: object(root.pre_tokenizer, "pre_tokenizer"),
    specials,
    vocabSize: Math.max(highestId, ...specials.values()) + 1,
  };
}

function checkPipeline(root: JsonObject, model: JsonObject): void {
  if (model.type !== "BPE") throw invalid(`model.type must be "BPE", got ${show(model.type)}`);
  if ((root.normalizer ?? null) !== null)
    throw invalid("normalizer must be null: text must survive encoding");
  for (const name of ["continuing_subword_prefix", "end_of_word_suffix"]) {
    if ((model[name] ?? "") !== "") throw invalid(`model.${name} must be empty, got ${show(model[name])}`);
  }
  const steps = preTokenizerSteps(object(root.pre_tokenizer, "pre_tokenizer"));
  const byteLevel = steps.find((step) => step.type === "ByteLevel");
  if (byteLevel === undefined) throw invalid("pre_tokenizer must have a ByteLevel step");
  if (byteLevel.add_prefix_space === true) throw invalid("pre_tokenizer.add_prefix_space must be false");
}

function preTokenizerSteps(preTokenizer: JsonObject): JsonObject[] {
  const steps = preTokenizer.type === "Sequence" ? preTokenizer.pretokenizers : [preTokenizer];
  if (!Array.isArray(steps)) throw invalid("pre_tokenizer.pretokenizers must be a list");
  return steps.map((step: unknown) => object(step, "a pre_tokenizer step"));
}

/** Added tokens of both files. All of them count as special: none may ever come out of text. */
function readSpecials(root: JsonObject, tokenizerConfig: unknown): Map<string, number> {
  const specials = new Map<string, number>();
  const texts = new Map<number, string>();
  const add = (content: unknown, id: unknown): void => {
    if (typeof content !== "string" || content === "")
      throw invalid(`added token ${show(id)} has no content`);
    checkId(id, content);
    if ((specials.get(content) ?? id) !== id || (texts.get(id) ?? content) !== content) {
      throw invalid(`added token ${show(content)} (id ${id}) contradicts another added token`);
    }
    specials.set(content, id);
    texts.set(id, content);
  };
  const added = root.added_tokens ?? [];
  if (!Array.isArray(added)) throw invalid("added_tokens must be a list");
  for (const item of added as unknown[]) {
    const token = object(item, "an added token");
    add(token.content, token.id);
  }
  const config = tokenizerConfig === undefined ? {} : object(tokenizerConfig, "tokenizer_config.json");
  const decoder = object(config.added_tokens_decoder ?? {}, "added_tokens_decoder");
  for (const [id, item] of Object.entries(decoder))
    add(object(item, `added token ${id}`).content, Number(id));
  return specials;
}

interface Vocab {
  readonly vocab: ReadonlyMap<string, number>;
  /** Special spellings that stood in the vocabulary. */
  readonly removed: ReadonlySet<string>;
  readonly highestId: number;
}

function readVocab(given: JsonObject, specials: ReadonlyMap<string, number>): Vocab {
  const vocab = new Map<string, number>();
  const removed = new Set<string>();
  const used = new Uint8Array(MAX_TOKEN_ID + 1);
  for (const id of specials.values()) used[id] = 1;
  let highestId = -1;
  for (const token of Object.keys(given)) {
    const id = given[token];
    checkId(id, token);
    if (specials.has(token)) {
      if (specials.get(token) !== id) throw invalid(`token ${show(token)} has two ids`);
      removed.add(token);
      continue;
    }
    if (used[id] === 1) throw invalid(`id ${id} belongs to two tokens, one of them ${show(token)}`);
    checkAlphabet(token, id);
    used[id] = 1;
    vocab.set(token, id);
    highestId = Math.max(highestId, id);
  }
  const absent = byteCharacters.findIndex((character) => !vocab.has(character));
  if (absent >= 0) throw invalid(`model.vocab has no token for byte ${absent}, so some text would be lost`);
  return { vocab, removed, highestId };
}

function checkAlphabet(token: string, id: number): void {
  if (token === "") throw invalid(`token ${id} is empty`);
  for (let i = 0; i < token.length; i++) {
    if (byteOf(token.charCodeAt(i)) < 0)
      throw invalid(`token ${show(token)} (id ${id}) is not in the byte-level alphabet`);
  }
}

/** Every merge must make a token, or text that it applies to would vanish. */
function readMerges(
  given: unknown,
  vocab: ReadonlyMap<string, number>,
  removed: ReadonlySet<string>,
): unknown[] {
  if (!Array.isArray(given)) throw invalid("model.merges must be a list");
  if (given.length > MAX_MERGES)
    throw invalid(`model.merges has ${given.length} entries, more than ${MAX_MERGES}`);
  let merges: unknown[] = given;
  if (removed.size > 0) merges = merges.filter((merge) => !removed.has(mergedToken(merge)));
  for (const merge of merges) {
    if (!vocab.has(mergedToken(merge))) throw invalid(`merge ${show(merge)} makes no token of model.vocab`);
  }
  return merges;
}

function mergedToken(merge: unknown): string {
  const [left, right, more] =
    typeof merge === "string" ? merge.split(" ") : Array.isArray(merge) ? merge : [];
  if (typeof left !== "string" || typeof right !== "string" || more !== undefined) {
    throw invalid(`a merge must be a pair of tokens, got ${show(merge)}`);
  }
  return left + right;
}

function checkId(id: unknown, token: string): asserts id is number {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id <= MAX_TOKEN_ID) return;
  throw invalid(`token ${show(token)} must have an integer id from 0 to ${MAX_TOKEN_ID}, got ${show(id)}`);
}

function object(value: unknown, name: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw invalid(`${name} must be an object, got ${show(value)}`);
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 80);
}

/** A tokenizer-invalid error: what was expected of the file and what it has. */
export function invalid(problem: string, cause?: unknown): EngineError {
  const message = `Cannot use this tokenizer.json: ${problem}. Use the tokenizer.json published with the checkpoint.`;
  return new EngineError("tokenizer-invalid", message, cause === undefined ? {} : { cause });
}
