import { roleNames } from "./harmony-header.ts";
import { harmonyTokens } from "./harmony-tokens.ts";

/** What a start token inside a message turned out to be: not known yet, a header's, or text like other specials there. */
export type StartReading = "open" | "header" | "text";

/** Longer authors and recipients are no header's. */
const MAX_AUTHOR_LENGTH = 256;

/**
 * Reads on after a start token inside a message, which is a header's where its end token is missing: a role, perhaps a
 * recipient, then a channel or message token. Anything else is what the model writes about.
 * @param text what followed it so far; `special` the token that came now, where it is a special one
 */
export function readStart(text: string, special: string | undefined): StartReading {
  const isChannel = special === harmonyTokens.channel;
  if (isChannel || special === harmonyTokens.message) return isAuthor(text) ? "header" : "text";
  return special === undefined && mayBecomeAuthor(text) ? "open" : "text";
}

const isAuthor = (text: string) => roleNames.some((role) => text === role || hasRecipient(text, role));

const mayBecomeAuthor = (text: string) =>
  text.length <= MAX_AUTHOR_LENGTH &&
  roleNames.some((role) => `${role} to=`.startsWith(text) || hasRecipient(text, role));

function hasRecipient(text: string, role: string): boolean {
  const lead = `${role} to=`;
  return text.startsWith(lead) && !/\s/.test(text.slice(lead.length));
}
