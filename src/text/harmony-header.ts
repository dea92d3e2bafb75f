import { harmonyTokens } from "./harmony-tokens.ts";
import type { HarmonyHeader, Role } from "./types.ts";

/**
 * Who the author of a header is, before its words are read: `given` by the prompt, `implied` where the model
 * left `<|start|>` out, `open` after a real `<|start|>`.
 */
export type HeaderStart =
  | { readonly kind: "given"; readonly role: Role }
  | { readonly kind: "implied" | "open" };

/** Called at each departure from the grammar, with generated text that would otherwise be lost. Strict callers throw. */
export type Recover = (what: string, text?: string) => void;

export const roleNames: readonly string[] = [
  "system",
  "developer",
  "user",
  "assistant",
  "tool",
] satisfies Role[];

/** The role a word names, if any. */
export function roleOf(word: string | undefined): Role | undefined {
  return roleNames.find((role) => role === word) as Role | undefined;
}

/** Content types models write without the constrain marker. */
export const typeWords: readonly string[] = ["json", "code", "text"];
/** A tool's full name: its namespace and its own. */
export const toolName = /^[\w-]+(\.[\w-]+)+$/;
export const knownChannel = /^(?:analysis|commentary|final)$/;
const channelWithRecipient = /^(analysis|commentary|final)(to=.*)$/;
const channelWithPrefix = /^[^\w<]+(analysis|commentary|final)$/;
const channelMarker = /<\|channel\|>([^\S\r\n]*)([^\s<]*)/g;

/**
 * Reads the text between start and message token: `author [to=recipient] [<|channel|>channel] [type]`, the
 * recipient before or after the channel. Always gives a header; what it had to guess goes to `recover`.
 */
export function parseHeader(text: string, start: HeaderStart, recover: Recover): HarmonyHeader {
  const { channel: marked, rest } = takeChannel(text, recover);
  const words = splitWords(rest, recover);
  const author = takeAuthor(words, start, recover);
  const channel = marked ?? takeChannelWord(words, recover);
  const recipient = takeRecipient(words, recover);
  const contentType = takeConstrain(words, recover);
  const loose = takeLooseWords(words, { recipient, contentType, channel }, recover);
  if (words.length > 0) recover("unexpected words in the header", words.join(" "));
  return makeHeader(author, {
    recipient: cutName(loose.recipient, recover),
    channel: cutName(channel, recover),
    contentType: loose.contentType,
  });
}

export function takeChannel(text: string, recover: Recover): { channel: string | undefined; rest: string } {
  const found: string[] = [];
  const rest = text.replace(channelMarker, (_marker: string, space: string, value: string) => {
    if (value === "" || (space !== "" && !knownChannel.test(value))) {
      recover("a channel token without a channel");
      return space + value;
    }
    if (space !== "") recover("space before the channel's name");
    const glued = channelWithRecipient.exec(value);
    if (glued !== null) recover("the recipient is joined to the channel");
    found.push(glued?.[1] ?? value);
    return glued === null ? "" : ` ${glued[2] ?? ""}`;
  });
  // A channel the model was trained on goes before a word that slipped in, such as the role.
  const first = found.find((value) => knownChannel.test(value)) ?? found[0];
  if (found.length > 1) recover("more than one channel", found.filter((other) => other !== first).join(" "));
  return { channel: first === undefined ? undefined : cleanChannel(first, recover), rest };
}

/** A channel's name where the author should be followed by its token: otherwise it would read as a recipient. */
function takeChannelWord(words: string[], recover: Recover): string | undefined {
  const [first = ""] = words;
  if (!knownChannel.test(first)) return undefined;
  recover("a channel without its token");
  words.shift();
  return first;
}

/** A known channel behind stray punctuation, as in `--commentary`. */
export function cleanChannel(value: string, recover: Recover): string {
  const known = channelWithPrefix.exec(value)?.[1];
  if (known === undefined) return value;
  recover("stray characters before the channel", value.slice(0, -known.length));
  return known;
}

/** Words by ASCII whitespace; a constrain marker starts a word of its own. */
export function splitWords(rest: string, recover: Recover): string[] {
  const words = rest.replaceAll(harmonyTokens.constrain, ` ${harmonyTokens.constrain}`).split(/[ \t\n\f\r]+/);
  return words
    .filter((word) => word !== "")
    .flatMap((word) => {
      const glued =
        /^(system|developer|user|assistant|tool)(to=.+)$/.exec(word) ??
        /^(assistant)(analysis|commentary|final)$/.exec(word);
      if (glued === null) return [word];
      recover(`the ${isRecipient(glued[2] ?? "") ? "recipient" : "channel"} is joined to the role`);
      return [glued[1] ?? "", glued[2] ?? ""];
    });
}

export type Author = Pick<HarmonyHeader, "role" | "name">;

function takeAuthor(words: string[], start: HeaderStart, recover: Recover): Author {
  const [first] = words;
  const known = first === undefined ? undefined : knownAuthor(first);
  if (start.kind === "given") {
    if (known?.role !== start.role) return givenAuthor(words, start.role, recover);
    words.shift();
    return known;
  }
  if (known !== undefined) {
    words.shift();
    return known;
  }
  if (start.kind === "implied") return { role: "assistant" };
  if (first === undefined || first.startsWith("to=") || first.startsWith("<|") || knownChannel.test(first)) {
    recover("a header without a role");
    return { role: "assistant" };
  }
  if (words.length === 1) recover("a lone tool name as author");
  words.shift();
  return { role: "tool", name: cutName(first, recover) ?? first };
}

/** A tool's message whose name follows the role that the caller gave. */
function givenAuthor(words: string[], role: Role, recover: Recover): Author {
  const [first = ""] = words;
  if (role !== "tool" || !toolName.test(first)) return { role };
  recover("a tool's name after its role");
  words.shift();
  return { role, name: first };
}

/** `role` or `role:name`. The bare word "tool" names itself. */
function knownAuthor(word: string): Author | undefined {
  const colon = word.indexOf(":");
  const role = roleOf(colon < 0 ? word : word.slice(0, colon));
  if (role === undefined) return undefined;
  const name = colon < 0 ? (role === "tool" ? role : "") : word.slice(colon + 1);
  return name === "" ? { role } : { role, name };
}

function takeRecipient(words: string[], recover: Recover): string | undefined {
  const found: string[] = [];
  for (let i = words.findIndex(isRecipient); i >= 0; i = words.findIndex(isRecipient)) {
    const value = (words[i] ?? "").slice(3);
    const next = words[i + 1];
    if (value === "" && next !== undefined && !next.startsWith("<|")) {
      recover("space after `to=`");
      words.splice(i, 2);
      found.push(next);
    } else {
      words.splice(i, 1);
      if (value === "") recover("an empty recipient");
      else found.push(value);
    }
  }
  const [first, ...others] = found;
  if (others.length > 0)
    recover("more than one recipient", others.filter((other) => other !== first).join(" "));
  return first;
}

function isRecipient(word: string): boolean {
  return word.startsWith("to=");
}

function takeConstrain(words: string[], recover: Recover): string | undefined {
  const at = words.findIndex((word) => word.startsWith(harmonyTokens.constrain));
  if (at < 0) return undefined;
  const [word = ""] = words.splice(at, 1);
  const next = words[at];
  if (word !== harmonyTokens.constrain || next === undefined || next.startsWith("<|")) return word;
  recover("space after the constrain token");
  words.splice(at, 1);
  return word + next;
}

export type Routing = { readonly [K in "recipient" | "channel" | "contentType"]: string | undefined };

/** Gives words without a marker their likely meaning: a last word is the type, the one before the recipient. */
function takeLooseWords(words: string[], known: Routing, recover: Recover): Omit<Routing, "channel"> {
  let { recipient, contentType } = known;
  const last = words.at(-1);
  if (last === undefined) return { recipient, contentType };
  if (
    contentType === undefined &&
    (recipient !== undefined || words.length > 1 || typeWords.includes(last))
  ) {
    if (recipient === undefined) recover("a content type without its marker or a recipient");
    contentType = words.pop();
  }
  const candidate = words.at(-1);
  // On final the reader is the user: a stray word must not turn an answer into a call.
  const mayCall = known.channel !== "final" && candidate !== undefined && /^[\w.-]+$/.test(candidate);
  if (recipient === undefined && mayCall) {
    recover("a recipient without `to=`");
    recipient = words.pop();
  }
  return { recipient, contentType };
}

/** A name ends where a special token's spelling leaked into it. */
function cutName(name: string | undefined, recover: Recover): string | undefined {
  const at = name?.indexOf("<|") ?? -1;
  if (name === undefined || at <= 0) return name;
  recover("a special token inside a name", name.slice(at));
  return name.slice(0, at);
}

/** Fields that are unset are left out, so that headers compare by value. */
export function makeHeader(author: Author, routing: Routing): HarmonyHeader {
  const { recipient, channel, contentType } = routing;
  return {
    ...author,
    ...(recipient === undefined ? {} : { recipient }),
    ...(channel === undefined ? {} : { channel }),
    ...(contentType === undefined ? {} : { contentType }),
  };
}
