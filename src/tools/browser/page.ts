/** A piece of a page that a link of a result page stands for. */
export interface PageSnippet {
  /** Wrapped line of the target page at which it stands. */
  readonly line?: number;
}

/** A page as the model reads it. */
export interface Page {
  /** Empty for search results. */
  readonly url: string;
  /** The page that was searched, of a page of find results; the address without `view-source:`. */
  readonly source?: string;
  readonly title: string;
  /** Unwrapped text, links in it as `【id†text】`. */
  readonly text: string;
  /** Targets of its links by id. */
  readonly urls: readonly string[];
  /** Of search and find results: what each link stands for. Such pages cannot be searched. */
  readonly snippets?: readonly PageSnippet[];
}

const specials: ReadonlyMap<string, string> = new Map([
  ["【", "〖"],
  ["】", "〗"],
  ["◼", "◾"],
  ["\u200b", ""],
]);

/** Text without the characters that mark links and citations, so that a page cannot forge them. */
export function withoutLinkMarks(text: string): string {
  return text.replace(/[【】◼\u200b]/g, (mark) => specials.get(mark) ?? mark);
}

/** A page of plain text. */
export function textPage({ url, title, text }: { url: string; title: string; text: string }): Page {
  return { url, title: withoutLinkMarks(title), text: withUrlLine(url, withoutLinkMarks(text)), urls: [] };
}

/** Pages begin with their address. */
export function withUrlLine(url: string, text: string): string {
  return `\nURL: ${url}\n${text}`;
}

/** At most `maxCharacters`, three dots included. */
export function truncated(text: string, maxCharacters = 1024): string {
  return text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters - 3)}...`;
}

/** Percent-decoded; what is no UTF-8 becomes U+FFFD, and a lone percent sign stays. */
export function unquoted(url: string): string {
  return url.replace(/(?:%[\da-f]{2})+/gi, (run) => {
    const bytes = Uint8Array.from(run.slice(1).split("%"), (hex) => Number.parseInt(hex, 16));
    return new TextDecoder().decode(bytes);
  });
}

/** Percent-encoded as Python's `quote` does: all but letters, digits, `_.-~/`. */
export function quoted(text: string): string {
  const encode = (byte: number): string => {
    const character = String.fromCharCode(byte);
    return /[\w.~/-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  };
  return Array.from(new TextEncoder().encode(text), encode).join("");
}
