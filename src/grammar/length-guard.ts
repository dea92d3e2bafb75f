import { type Schemas, type StringLimit, stringLimits } from "./string-limits.ts";

/** Keeps the strings of a JSON text to the lengths of its schema, which a grammar could only count at great cost. */
export interface LengthGuard {
  accept(token: number): void;
  /** Takes out of a mask the tokens that would make a string too long, or end it too early. */
  apply(mask: Uint32Array): void;
}

/** What the guard knows of the vocabulary; made once. */
export interface TokenLengths {
  readonly bytes: readonly (readonly number[])[];
  /** Tokens with a quote or a backslash, which may end a string. */
  readonly special: readonly SpecialToken[];
  /** Code points of the longest token. */
  readonly longest: number;
  /** Mask of the tokens of at most so many code points, and of all the special ones. */
  atMost(length: number): Uint32Array;
}

/** A token as it goes on in a string: `head` code points of it, then bytes from a quote or a backslash. */
interface SpecialToken {
  readonly id: number;
  readonly head: number;
  readonly tail: readonly number[];
}

const quote = 0x22;
const backslash = 0x5c;
const text = new TextDecoder("utf-8", { ignoreBOM: true });
const isContinuation = (byte: number): boolean => byte >= 0x80 && byte < 0xc0;

const numCharacters = (bytes: readonly number[]): number =>
  bytes.reduce((sum, byte) => sum + (isContinuation(byte) ? 0 : 1), 0);

export function tokenLengths(bytes: readonly (readonly number[])[]): TokenLengths {
  const lengths = Uint16Array.from(bytes, numCharacters);
  const special = bytes.flatMap((token, id): SpecialToken[] => {
    const at = token.findIndex((byte) => byte === quote || byte === backslash);
    return at < 0 ? [] : [{ id, head: numCharacters(token.slice(0, at)), tail: token.slice(at) }];
  });
  const specials = new Uint32Array(Math.ceil(bytes.length / 32));
  for (const { id } of special) specials[id >>> 5] = (specials[id >>> 5] ?? 0) | (1 << (id & 31));
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  /** By length; made when first asked for. */
  const masks = new Map<number, Uint32Array>();

  function maskOf(most: number): Uint32Array {
    const mask = specials.slice();
    for (let id = 0; id < lengths.length; id++)
      if ((lengths[id] ?? 0) <= most) mask[id >>> 5] = (mask[id >>> 5] ?? 0) | (1 << (id & 31));
    return mask;
  }

  return {
    bytes,
    special,
    longest,
    atMost(length) {
      const mask = masks.get(length) ?? maskOf(length);
      masks.set(length, mask);
      return mask;
    },
  };
}

/** An object or array that is open. */
interface Frame {
  readonly parent: Frame | undefined;
  readonly schemas: Schemas;
  readonly isArray: boolean;
  readonly index: number;
  /** The key before a colon; undefined where a key comes next. */
  readonly key: string | undefined;
}

interface OpenString {
  readonly limit: StringLimit | undefined;
  /** Of a key, its bytes so far. */
  readonly keyBytes: readonly number[] | undefined;
  readonly length: number;
  /** Characters that an escape still takes: 1 after a backslash, 4 to 1 after \u. */
  readonly escapeLeft: number;
  readonly isHex: boolean;
}

interface State {
  readonly frame: Frame | undefined;
  readonly string: OpenString | undefined;
  /** False where a string ended too early or grew too long. */
  readonly isValid: boolean;
}

export function createLengthGuard(schema: unknown, tokens: TokenLengths): LengthGuard {
  const limits = stringLimits(schema);
  let state: State = { frame: undefined, string: undefined, isValid: true };

  const valueSchemas = (frame: Frame | undefined): Schemas => {
    if (frame === undefined) return limits.root;
    return frame.isArray
      ? limits.item(frame.schemas, frame.index)
      : limits.member(frame.schemas, frame.key ?? "");
  };

  function inString(at: State, string: OpenString, byte: number): State {
    const grown = string.keyBytes && { keyBytes: [...string.keyBytes, byte] };
    const next = { ...string, ...grown };
    if (string.escapeLeft > 0) {
      const escapeLeft = !string.isHex && byte === 0x75 ? 4 : string.escapeLeft - 1;
      const isHex = string.isHex || byte === 0x75;
      return {
        ...at,
        string: { ...next, escapeLeft, isHex, length: string.length + (escapeLeft === 0 ? 1 : 0) },
      };
    }
    if (byte === backslash) return { ...at, string: { ...next, escapeLeft: 1, isHex: false } };
    if (byte === quote) return closed(at, string);
    return { ...at, string: { ...next, length: string.length + (isContinuation(byte) ? 0 : 1) } };
  }

  function closed(at: State, { limit, keyBytes, length }: OpenString): State {
    const isValid = at.isValid && (limit === undefined || (length >= limit.least && length <= limit.most));
    if (keyBytes === undefined || at.frame === undefined) return { ...at, string: undefined, isValid };
    const key = String(JSON.parse(`"${text.decode(Uint8Array.from(keyBytes))}"`));
    return { frame: { ...at.frame, key }, string: undefined, isValid };
  }

  function advance(at: State, byte: number): State {
    const { frame, string } = at;
    if (string !== undefined) return inString(at, string, byte);
    switch (byte) {
      case quote: {
        const isKey = frame !== undefined && !frame.isArray && frame.key === undefined;
        const limit = isKey ? undefined : limits.limit(valueSchemas(frame));
        return {
          ...at,
          string: { limit, keyBytes: isKey ? [] : undefined, length: 0, escapeLeft: 0, isHex: false },
        };
      }
      case 0x7b: // {
      case 0x5b: // [
        return {
          ...at,
          frame: {
            parent: frame,
            schemas: valueSchemas(frame),
            isArray: byte === 0x5b,
            index: 0,
            key: undefined,
          },
        };
      case 0x7d: // }
      case 0x5d: // ]
        return { ...at, frame: frame?.parent };
      case 0x2c: // ,
        return { ...at, frame: frame && { ...frame, key: undefined, index: frame.index + 1 } };
      default:
        return at;
    }
  }

  const after = (token: number): State => (tokens.bytes[token] ?? []).reduce(advance, state);

  /** The same, without a look at each byte before the quote or backslash where they only add to a value's length. */
  function afterSpecial({ id, head, tail }: SpecialToken): State {
    const { string } = state;
    if (string === undefined || string.escapeLeft > 0 || string.keyBytes !== undefined) return after(id);
    return tail.reduce(advance, { ...state, string: { ...string, length: string.length + head } });
  }

  /** True where what has begun can still end well. */
  const fits = ({ isValid, string }: State): boolean => {
    const pending = string !== undefined && string.escapeLeft > 0 ? 1 : 0;
    return isValid && (string?.limit === undefined || string.length + pending <= string.limit.most);
  };

  return {
    accept(token) {
      state = after(token);
    },
    apply(mask) {
      const clear = (id: number) => {
        mask[id >>> 5] = (mask[id >>> 5] ?? 0) & ~(1 << (id & 31));
      };
      const has = (id: number) => (((mask[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1;
      for (const token of tokens.special) if (has(token.id) && !fits(afterSpecial(token))) clear(token.id);
      const { string } = state;
      if (string?.limit === undefined) return;
      // Characters that an escape under way takes count as one; after a backslash at most one is left.
      const taken = string.isHex && string.escapeLeft > 0 ? string.escapeLeft - 1 : 0;
      const left = string.limit.most - string.length + taken;
      if (left >= tokens.longest) return;
      // Ids beyond the vocabulary are never allowed.
      tokens.atMost(left).forEach((word, i) => {
        mask[i] = (mask[i] ?? 0) & word;
      });
    },
  };
}
