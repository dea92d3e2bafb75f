import { byteCharacters, byteOf } from "./byte-level.ts";
import { splitPatterns } from "./pre-tokenizer.ts";
import { invalid, type JsonObject, requireObject, show } from "./tokenizer-errors.ts";
import { type MergeTable, readMerges } from "./tokenizer-merges.ts";

/** The parts of tokenizer.json that encoding needs, checked. */
export interface TokenizerFile {
  /** Text tokens in the byte-level alphabet → id. No special token is among them. */
  readonly vocab: ReadonlyMap<string, number>;
  readonly merges: MergeTable;
  readonly ignoreMerges: boolean;
  /** See `splitPatterns`. */
  readonly patterns: readonly RegExp[];
  /** Added tokens by text. */
  readonly specials: ReadonlyMap<string, number>;
  /** One more than the highest id. */
  readonly vocabSize: number;
}

/** A bound against hostile files; gpt-oss has 200 k tokens. */
const MAX_TOKEN_ID = 1 << 21;

/**
 * Checks a parsed tokenizer.json (and its tokenizer_config.json) for what byte-level BPE encoding relies on:
 * with it, every text has tokens and every token has bytes.
 * @throws tokenizer-invalid
 */
export function readTokenizerFile(tokenizerJson: unknown, tokenizerConfig?: unknown): TokenizerFile {
  const root = requireObject(tokenizerJson, "the file");
  const model = requireObject(root.model, "model");
  checkModel(root, model);
  const patterns = splitPatterns(requireObject(root.pre_tokenizer, "pre_tokenizer"));
  const specials = readSpecials(root, tokenizerConfig);
  const given = requireObject(model.vocab, "model.vocab");
  const { vocab, removed, highestId } = readVocab(given, specials);
  return {
    vocab,
    merges: readMerges(model.merges, vocab, removed),
    ignoreMerges: model.ignore_merges === true,
    patterns,
    specials,
    vocabSize: Math.max(highestId, ...specials.values()) + 1,
  };
}

function checkModel(root: JsonObject, model: JsonObject): void {
  if (model.type !== "BPE") throw invalid(`model.type must be "BPE", got ${show(model.type)}`);
  if ((root.normalizer ?? null) !== null)
    throw invalid("normalizer must be null: text must survive encoding");
  for (const name of ["continuing_subword_prefix", "end_of_word_suffix"]) {
    if ((model[name] ?? "") !== "") throw invalid(`model.${name} must be empty, got ${show(model[name])}`);
  }
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
    const token = requireObject(item, "an added token");
    add(token.content, token.id);
  }
  const config = tokenizerConfig === undefined ? {} : requireObject(tokenizerConfig, "tokenizer_config.json");
  const decoder = requireObject(config.added_tokens_decoder ?? {}, "added_tokens_decoder");
  for (const [id, item] of Object.entries(decoder))
    add(requireObject(item, `added token ${id}`).content, Number(id));
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

function checkId(id: unknown, token: string): asserts id is number {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id <= MAX_TOKEN_ID) return;
  throw invalid(`token ${show(token)} must have an integer id from 0 to ${MAX_TOKEN_ID}, got ${show(id)}`);
}
