// The grammar worker of the built programs: a thread of its own, which may crash.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "vite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createGrammarEngine, type GrammarEngine } from "../grammar/grammar-engine.ts";
import { jsonObjectGrammar } from "../grammar/json-grammar.ts";
import { grammarVocabulary } from "../grammar/vocabulary.ts";
import { repositoryPath } from "../testing/reference.ts";
import { nano } from "../text/nano.fixture.ts";
import { openGrammarThread } from "./open-grammar.ts";

const folder = mkdtempSync(join(tmpdir(), "grammar-thread-"));
const script = pathToFileURL(join(folder, "grammar-thread.mjs"));
const end = nano.special("<|return|>");
const ebnf = (text: string) => ({ ebnf: text });
let opened = 0;
let engine: GrammarEngine;

const open = (openPort = () => openGrammarThread(script), timeoutMs = 20_000) =>
  createGrammarEngine({
    openPort: () => {
      opened += 1;
      return openPort();
    },
    vocabulary: () => grammarVocabulary(nano),
    vocabSize: nano.vocabSize,
    timeoutMs,
  });

beforeAll(async () => {
  await build({
    configFile: false,
    logLevel: "silent",
    ssr: { noExternal: true },
    build: {
      ssr: repositoryPath("src/desktop/grammar-thread.ts"),
      outDir: folder,
      target: "node20",
      rolldownOptions: { output: { entryFileNames: "grammar-thread.mjs", codeSplitting: false } },
    },
  });
  engine = open();
}, 30_000);
afterAll(() => {
  engine.dispose();
  rmSync(folder, { recursive: true });
});

it("answers, fails with a crash, and is made anew", async () => {
  const first = await engine.start(jsonObjectGrammar, [end]);
  await first.accept(nano.encode("{")[0] ?? 0);
  expect(opened).toBe(1);
  await expect(engine.start(ebnf("root ::= ("), [end])).rejects.toMatchObject({
    code: "grammar-failed",
    details: { reason: expect.stringContaining("Aborted") },
  });
  await expect(first.accept(0)).rejects.toMatchObject({ code: "grammar-failed" });
  expect((await engine.start(jsonObjectGrammar, [end])).first.some((word) => word !== 0)).toBe(true);
  expect(opened).toBe(2);
});

it("that cannot be started fails, and so does one that does not answer", async () => {
  const missing = open(() => openGrammarThread(new URL("missing.mjs", script)));
  await expect(missing.start(jsonObjectGrammar, [end])).rejects.toMatchObject({ code: "grammar-failed" });
  const silent = open(() => ({ post: () => {}, onReply: () => {}, onDeath: () => {}, close: () => {} }), 20);
  await expect(silent.start(jsonObjectGrammar, [end])).rejects.toMatchObject({
    code: "grammar-failed",
    message: expect.stringContaining("no answer within 20 ms"),
  });
});
