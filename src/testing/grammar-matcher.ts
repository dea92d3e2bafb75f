import { afterAll } from "vitest";
import type { TextGrammar } from "../grammar/protocol.ts";
import { nano } from "../text/nano.fixture.ts";
import { seededRandom } from "./data.ts";
import { nanoGrammar } from "./random-model.ts";

const end = nano.special("<|return|>");
const has = (mask: Uint32Array, id: number) => (((mask[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1;

/** Tokens that bring a text to its end. */
const closing = new Set(['"', "}", "]", '"}'].flatMap((text) => nano.encode(text)));

/** A grammar engine for a test file, closed after it. */
export function createMatcher() {
  const engine = nanoGrammar();
  afterAll(() => engine.dispose());

  /** Whether a text is in a grammar and ends there. */
  async function matches(grammar: TextGrammar, text: string): Promise<boolean> {
    const constraint = await engine.start(grammar, [end]);
    let mask = constraint.first;
    for (const token of nano.encode(text)) {
      if (!has(mask, token)) return false;
      mask = await constraint.accept(token);
    }
    return has(mask, end);
  }

  /** A text of tokens drawn from the masks; undefined where it has not ended within `most` tokens. */
  async function draw(grammar: TextGrammar, seed: number, most = 600): Promise<string | undefined> {
    const random = seededRandom(seed);
    const constraint = await engine.start(grammar, [end]);
    let mask = constraint.first;
    const tokens: number[] = [];
    for (;;) {
      const words = mask;
      const ids = Array.from({ length: nano.vocabSize }, (_, id) => id).filter((id) => has(words, id));
      if (ids.includes(end) && random() < 0.5) return nano.decode(tokens);
      const closers = ids.filter((id) => closing.has(id));
      const from = closers.length > 0 && random() < 0.2 ? closers : ids;
      const token = from[Math.floor(random() * from.length)] ?? end;
      if (token === end) return nano.decode(tokens);
      if (tokens.push(token) > most) return undefined;
      mask = await constraint.accept(token);
    }
  }

  return { engine, matches, draw };
}
