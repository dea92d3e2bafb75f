import {
  type Author,
  type HeaderStart,
  knownChannel,
  makeHeader,
  type Routing,
  roleOf,
  splitWords,
  takeChannel,
  typeWords,
} from "./harmony-header.ts";
import { harmonyTokens } from "./harmony-tokens.ts";
import type { HarmonyHeader } from "./types.ts";

/** A recipient without `to=`. */
const bareName = /^[\w.:-]+$/;

/** Called at a departure from the grammar; throws. */
export type Refuse = (what: string, text?: string) => never;

/**
 * Reads the text between start and message token as openai/harmony's strict parser does: an author that is a role or,
 * where more words follow, a tool's name; then `[to=]recipient [type]`, around one channel. Refused is what that
 * parser takes for a name though nobody means one: a lone type word, a channel's name, words of a sentence, special
 * tokens. A lone `<|constrain|>json`, which structured output has, is the type.
 * Source: openai/harmony, src/encoding.rs, parse_header_from_string.
 */
export function parseStrictHeader(text: string, start: HeaderStart, refuse: Refuse): HarmonyHeader {
  const { channel, rest } = takeChannel(text, refuse);
  const words = splitWords(rest, refuse);
  const author = takeAuthor(words, start, refuse);
  return makeHeader(author, { channel: plain(channel, refuse), ...readRouting(words, refuse) });
}

function takeAuthor(words: string[], start: HeaderStart, refuse: Refuse): Author {
  const [first = ""] = words;
  if (start.kind === "given") {
    if (first === start.role) words.shift();
    return { role: start.role };
  }
  const role = roleOf(first);
  // `user:bob` is no role to that parser, though its renderer writes it: alone it is unknown, else a tool's name.
  if (role === undefined && words.length < 2) return refuse("an author that is no role", first);
  if (first.startsWith("to=") || knownChannel.test(first)) return refuse("a header without a role", first);
  words.shift();
  if (role !== undefined && role !== "tool") return { role };
  return { role: "tool", name: plain(first, refuse) };
}

function readRouting(words: readonly string[], refuse: Refuse): Omit<Routing, "channel"> {
  const [first, second] = words;
  if (words.length > 2 || second?.startsWith("to="))
    return refuse("unexpected words in the header", words.join(" "));
  if (first === undefined) return { recipient: undefined, contentType: undefined };
  if (second === undefined && first.startsWith(harmonyTokens.constrain))
    return { recipient: undefined, contentType: first };
  if (second === undefined && typeWords.includes(first))
    return refuse("a content type without its marker or a recipient", first);
  if (knownChannel.test(first)) return refuse("a channel without its token", first);
  const isMarked = first.startsWith("to=");
  const recipient = plain(isMarked ? first.slice(3) : first, refuse);
  if (recipient === "") return refuse("an empty recipient");
  if (!isMarked && !bareName.test(recipient)) return refuse("a recipient that is no name", recipient);
  return { recipient, contentType: second };
}

function plain<T extends string | undefined>(name: T, refuse: Refuse): T {
  return name?.includes("<|") ? refuse("a special token inside a name", name) : name;
}
