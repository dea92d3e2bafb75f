import {
  cleanChannel,
  type HeaderStart,
  makeHeader,
  type Recover,
  roleOf,
  toolName,
  typeWords,
} from "./harmony-header.ts";
import type { HarmonyHeader, Role } from "./types.ts";

/** Header and content of a message whose message token is missing. */
export interface BareMessage {
  readonly header: HarmonyHeader;
  readonly content: string;
}

/** Header pieces that may stand before such content, after the author. */
const leadingPieces =
  /^\s*(?:to=([^\s<]+))?\s*(?:<\|channel\|>([^\s<]*))?\s*(?:to=([^\s<]+))?\s*(<\|constrain\|>\w*)?/;

/** Words of the longest real header, e.g. `browser.search to=assistant <|channel|>commentary json`. */
const MAX_HEADER_WORDS = 4;
const MAX_HEADER_LENGTH = 256;

/** Splits text that has no message token: known header pieces in front, everything else content. */
export function splitBareMessage(text: string, start: HeaderStart, recover: Recover = () => {}): BareMessage {
  const { role, rest } = splitAuthor(text, start);
  const [pieces = "", first, channel, second, contentType] = leadingPieces.exec(rest) ?? [];
  const routing = {
    recipient: first ?? second,
    channel: channel === undefined || channel === "" ? undefined : cleanChannel(channel, recover),
    contentType,
  };
  if (first !== undefined && second !== undefined && first !== second)
    recover("more than one recipient", second);
  return { header: makeHeader({ role }, routing), content: rest.slice(pieces.length).trimStart() };
}

/**
 * True where the words so far cannot be a header's, so content has begun without a message token. Takes the
 * bounds of a real header: an author, a recipient, a channel and a type, on one line.
 */
export function hasOutgrownHeader(text: string, start: HeaderStart): boolean {
  const { content } = splitBareMessage(text, start);
  return (
    content.includes("\n") ||
    content.length > MAX_HEADER_LENGTH ||
    content.split(/\s+/).length > MAX_HEADER_WORDS
  );
}

/** True where text before a channel token is content of its own and not the header that the token continues. */
export function hasContentWords(text: string, start: HeaderStart): boolean {
  const { content } = splitBareMessage(text, start);
  const words = content.split(/\s+/).filter((word) => word !== "");
  // After a real start token the first word may be a tool's name, whatever it looks like.
  if (start.kind === "open" && roleOf(text.trimStart().split(/[\s<]/, 1)[0]) === undefined) words.shift();
  return words.some((word) => !word.startsWith("to=") && !typeWords.includes(word) && !toolName.test(word));
}

/** The leading role word, where it is one and not the first word of a sentence. */
function splitAuthor(text: string, start: HeaderStart): { role: Role; rest: string } {
  const word = /^\s*([a-z]+)(?=\s|<\||$)/.exec(text);
  const role = roleOf(word?.[1]);
  const rest = text.slice(word?.[0].length ?? 0);
  if (start.kind === "given") return role === start.role ? { role, rest } : { role: start.role, rest: text };
  const isRole = role !== undefined && (start.kind === "open" || /^\s*(?:$|<\||to=)/.test(rest));
  return isRole ? { role, rest } : { role: "assistant", rest: text };
}
