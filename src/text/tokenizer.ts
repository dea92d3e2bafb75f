import { Tokenizer as BpeTokenizer } from "@huggingface/tokenizers";
import { byteOf } from "./byte-level.ts";
import { invalid, readTokenizerFile, type TokenizerFile } from "./tokenizer-file.ts";
import type { Tokenizer } from "./types.ts";
import { createUtf8Stream } from "./utf8-stream.ts";

/**
 * The tokenizer of a checkpoint from its parsed tokenizer.json and, for further special tokens,
 * tokenizer_config.json. Neither object is kept or changed, so both can be released afterwards.
 * @throws tokenizer-invalid
 */
export function createTokenizer(tokenizerJson: unknown, tokenizerConfig?: unknown): Tokenizer {
  const file = readTokenizerFile(tokenizerJson, tokenizerConfig);
  // Taken out one by one: a closure over `file` would keep the vocabulary alive twice.
  const { specials, vocabSize } = file;
  const bpe = createTextOnlyBpe(file);
  const tokenBytes = packTokenBytes(file);
  const specialTexts = new Map(Array.from(specials, ([text, id]) => [id, text]));

  return {
    vocabSize,
    specialTokens: specials,
    encode: (text) => (text === "" ? [] : bpe.encode(text, { add_special_tokens: false }).ids),
    special(name) {
      const id = specials.get(name);
      if (id === undefined) throw invalid(`it has no special token ${name}`);
      return id;
    },
    bytes: tokenBytes,
    specialText: (id) => specialTexts.get(id),
    decode: (ids) => decodeIds(ids, tokenBytes, specialTexts),
  };
}

/**
 * The library's encoder without any added token: it always parses added tokens inside text, so an encoder
 * that knew them would let a user write control tokens. With none, text can only become text tokens.
 */
function createTextOnlyBpe(file: TokenizerFile): BpeTokenizer {
  // The library keeps what it was given; it reads these two only while it is built, so they are emptied after.
  const merges = [...file.merges];
  const model = {
    type: "BPE",
    unk_token: null,
    ignore_merges: file.ignoreMerges,
    vocab: file.vocabObject,
    merges,
  };
  const parts = { model, added_tokens: [], normalizer: null, pre_tokenizer: file.preTokenizer };
  try {
    return new BpeTokenizer({ ...parts, post_processor: null, decoder: null }, {});
  } catch (error) {
    throw invalid(`the encoder cannot be built (${String(error)})`, error);
  } finally {
    merges.length = 0;
    model.vocab = {};
  }
}

/** All token bytes in one array with offsets: 2 MB for gpt-oss instead of 200 k small arrays. */
function packTokenBytes(file: TokenizerFile): (id: number) => Uint8Array | undefined {
  const offsets = new Uint32Array(file.vocabSize + 1);
  for (const [token, id] of file.vocab) offsets[id + 1] = token.length;
  for (let id = 0; id < file.vocabSize; id++) offsets[id + 1] = (offsets[id] ?? 0) + (offsets[id + 1] ?? 0);
  const bytes = new Uint8Array(offsets[file.vocabSize] ?? 0);
  for (const [token, id] of file.vocab) {
    const start = offsets[id] ?? 0;
    for (let i = 0; i < token.length; i++) bytes[start + i] = byteOf(token.charCodeAt(i));
  }
  return (id) => {
    const start = offsets[id];
    const end = offsets[id + 1];
    return start === undefined || end === undefined || start === end ? undefined : bytes.subarray(start, end);
  };
}

function decodeIds(
  ids: readonly number[],
  tokenBytes: (id: number) => Uint8Array | undefined,
  specialTexts: ReadonlyMap<number, string>,
): string {
  const stream = createUtf8Stream();
  let text = "";
  for (const id of ids) {
    const bytes = tokenBytes(id);
    text += bytes === undefined ? stream.flush() + (specialTexts.get(id) ?? "\uFFFD") : stream.push(bytes);
  }
  return text + stream.flush();
}
