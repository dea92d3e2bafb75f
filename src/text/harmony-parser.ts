import { EngineError } from "../errors.ts";
import { hasContentWords, hasOutgrownHeader, splitBareMessage } from "./harmony-bare-header.ts";
import { type HeaderStart, parseHeader } from "./harmony-header.ts";
import { readStart } from "./harmony-implied-end.ts";
import { parseStrictHeader } from "./harmony-strict-header.ts";
import { harmonyTokens, startOfText } from "./harmony-tokens.ts";
import type { HarmonyEvent, HarmonyHeader, Role, Tokenizer } from "./types.ts";
import { createUtf8Stream } from "./utf8-stream.ts";

/** Streaming parser of what a model writes. */
export interface HarmonyParser {
  /** Takes one token. @throws request-invalid in strict mode for a malformed stream; the parser is then done */
  push(id: number): HarmonyEvent[];
  /** The stream is over: closes what is open. */
  end(): HarmonyEvent[];
}

export interface HarmonyParserOptions {
  /** The prompt ended in `<|start|>` and this role: the stream begins inside that header. */
  readonly role?: Role;
  /**
   * Read as openai/harmony's strict parser does: throw at the first departure from the grammar instead of recovering.
   * Content may hold anything: ids without a token are replaced, and `<|endoftext|>` is text. Default false.
   */
  readonly strict?: boolean;
}

type MessageEnd = "end" | "return" | "call" | "eof";

interface Header {
  readonly kind: "header";
  readonly start: HeaderStart;
  readonly text: string;
}

interface Content {
  readonly kind: "content";
  readonly header: HarmonyHeader;
  /** The message token was missing. */
  readonly bare: boolean;
  readonly text: string;
}

/** A start token inside a message: a new message's, or text. */
interface Doubt {
  readonly kind: "doubt";
  readonly content: Content;
  /** From the start token on. */
  readonly ids: readonly number[];
}

type State = { readonly kind: "between" } | Header | Content | Doubt;

const messageEnds: ReadonlyMap<string, MessageEnd> = new Map([
  [harmonyTokens.end, "end"],
  [harmonyTokens.return, "return"],
  [harmonyTokens.call, "call"],
  [harmonyTokens.endOfText, "eof"],
]);

const between: State = { kind: "between" };
const replacementBytes = new TextEncoder().encode("\uFFFD");

/**
 * Parses a token stream into messages, text as it arrives. By default any stream gives messages, nothing throws
 * and no generated text is lost: departures from the grammar are reported as `recovery` events and mended.
 * Special tokens inside content that do not end it are its literal text; a whole header there is the next message's.
 */
export function createHarmonyParser(tokenizer: Tokenizer, options: HarmonyParserOptions = {}): HarmonyParser {
  const { strict = false } = options;
  const utf8 = createUtf8Stream();
  const encoder = new TextEncoder();
  let events: HarmonyEvent[] = [];
  let state: State = options.role === undefined ? between : openHeader({ kind: "given", role: options.role });

  function report(what: string, text = ""): void {
    events.push({ type: "recovery", what, ...(text === "" ? {} : { text }) });
  }

  function recover(what: string, text = ""): void {
    if (strict) refuse(what, text);
    report(what, text);
  }

  function readHeader(text: string, start: HeaderStart): HarmonyHeader {
    return strict ? parseStrictHeader(text, start, refuse) : parseHeader(text, start, recover);
  }

  function decode(id: number, name: string | undefined): string {
    if (name !== undefined) return utf8.push(encoder.encode(name));
    const bytes = tokenizer.bytes(id);
    // openai/harmony replaces it in content also when it is strict.
    const replaced = state.kind === "content" ? report : recover;
    if (bytes === undefined) replaced(`token id ${id} does not exist`);
    return utf8.push(bytes ?? replacementBytes);
  }

  function begin(header: HarmonyHeader, bare: boolean): Content {
    events.push({ type: "message-start", header });
    return { kind: "content", header, bare, text: "" };
  }

  function write(content: Content, text: string): Content {
    if (text === "") return content;
    events.push({ type: "text", text, header: content.header });
    return { ...content, text: content.text + text };
  }

  function close(content: Content, end: MessageEnd): State {
    const { header, text } = write(content, utf8.flush());
    events.push({ type: "message-end", header, content: text, end });
    return between;
  }

  /** The header's text turned out to hold content: its message token is missing. */
  function beginBare({ text, start }: Header): Content {
    recover("a message without its message token");
    const { header, content } = splitBareMessage(text, start, recover);
    return write(begin(header, true), content);
  }

  function betweenMessages(id: number, name: string | undefined): State {
    if (name === harmonyTokens.start) return openHeader({ kind: "open" });
    if (name !== undefined && (messageEnds.has(name) || name === startOfText)) {
      recover(`a stray ${name}`);
      return between;
    }
    recover("a message without its start token");
    return inHeader(openHeader({ kind: "implied" }), id, name);
  }

  function inHeader(header: Header, id: number, name: string | undefined): State {
    if (name === harmonyTokens.message)
      return begin(readHeader(header.text + utf8.flush(), header.start), false);
    const end = name === undefined ? undefined : messageEnds.get(name);
    if (end !== undefined) return endHeader(header, end);
    if (name === harmonyTokens.start) {
      if (hasOnlyRole(header)) recover("a repeated start token", header.text.trim());
      else endHeader(header, "eof");
      utf8.flush();
      return openHeader({ kind: "open" });
    }
    if (!strict && name === harmonyTokens.channel && hasContentWords(header.text, header.start)) {
      endHeader(header, "eof");
      return inHeader(openHeader({ kind: "implied" }), id, name);
    }
    const longer = { ...header, text: header.text + decode(id, name) };
    return !strict && hasOutgrownHeader(longer.text, longer.start) ? beginBare(longer) : longer;
  }

  /** A header that ended without its message token is a message all the same, unless nothing was written. */
  function endHeader(header: Header, end: MessageEnd): State {
    const full = { ...header, text: header.text + utf8.flush() };
    if (full.text.trim() !== "") return close(beginBare(full), end);
    recover("an empty message", full.text);
    return between;
  }

  function inContent(content: Content, id: number, name: string | undefined): State {
    const end = name === undefined ? undefined : messageEnds.get(name);
    if (end !== undefined && !(strict && end === "eof")) {
      if (end === "eof") report("end of text inside a message");
      return close(content, end);
    }
    if (content.bare && name === harmonyTokens.message) {
      recover("a late message token");
      return content;
    }
    if (content.bare && (name === harmonyTokens.start || name === harmonyTokens.channel)) {
      recover("a message without its end token");
      close(content, "eof");
      return betweenMessages(id, name);
    }
    if (!strict && name === harmonyTokens.start) return { kind: "doubt", content, ids: [id] };
    return write(content, decode(id, name));
  }

  function inDoubt({ content, ids }: Doubt, id: number, name: string | undefined): State {
    const words = name === undefined ? [...ids.slice(1), id] : ids.slice(1);
    const reading = readStart(tokenizer.decode(words), name);
    if (reading === "open") return { kind: "doubt", content, ids: [...ids, id] };
    if (reading === "text") return inContent(writeAll(content, ids), id, name);
    recover("a message without its end token");
    state = close(content, "eof");
    for (const held of [...ids, id]) state = step(held);
    return state;
  }

  /** Ids as literal text. */
  function writeAll(content: Content, ids: readonly number[]): Content {
    return ids.reduce((written, id) => write(written, decode(id, tokenizer.specialText(id))), content);
  }

  function step(id: number): State {
    const name = tokenizer.specialText(id);
    if (state.kind === "header") return inHeader(state, id, name);
    if (state.kind === "doubt") return inDoubt(state, id, name);
    return state.kind === "content" ? inContent(state, id, name) : betweenMessages(id, name);
  }

  return {
    push(id) {
      events = [];
      state = step(id);
      return events;
    },
    end() {
      events = [];
      if (state.kind === "doubt") state = writeAll(state.content, state.ids);
      if (state.kind === "content") close(state, "eof");
      if (state.kind === "header") endHeader(state, "eof");
      state = between;
      return events;
    },
  };
}

function openHeader(start: HeaderStart): Header {
  return { kind: "header", start, text: "" };
}

function hasOnlyRole({ text, start }: Header): boolean {
  const { header, content } = splitBareMessage(text, start);
  return (
    content === "" &&
    header.channel === undefined &&
    header.recipient === undefined &&
    header.contentType === undefined
  );
}

function refuse(what: string, text = ""): never {
  const got = text === "" ? "" : ` (${JSON.stringify(text.slice(0, 80))})`;
  const message = `Cannot parse this harmony stream strictly: ${what}${got}. Parse it without strict to recover.`;
  throw new EngineError("request-invalid", message, { details: { what, text } });
}
