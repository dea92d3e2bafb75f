// The benchmark up to where a GPU is needed.
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { outcomeOf } from "../../testing/terminal.ts";
import { benchCommand } from "./bench.ts";

// Mistakes must be told before the GPU is opened: here that would fail, with another code.
beforeAll(() => void vi.stubEnv("DAWN_NODE", "/no/dawn.node"));
afterAll(() => void vi.unstubAllEnvs());

const bench = (...args: string[]) => outcomeOf((terminal) => benchCommand(args, terminal));

it.each<[string, string[], RegExp]>([
  ["a shape that is not published", ["--shape", "7b"], /--shape must be one of nano, toy, 20b, 120b/],
  ["no run", ["--runs", "0"], /--runs.*from 1 to 100/],
  ["one decoded token", ["--tokens", "1"], /--tokens.*from 2/],
  ["an empty model", ["--model", ""], /--model has an empty value/],
  ["a model and a shape", ["--model", "nano", "--shape", "toy"], /--model names a checkpoint.*give one/],
  ["an option that it has not", ["--verbose"], /no option '--verbose' \(--help lists them\)/],
  ["a model that is not there", ["--model", "/no/model"], /does not exist/],
  ["a size that is none", ["--variants", "gateUpVec.rows=3"], /gateUpVec.rows cannot be 3/],
  ["variants that are no sizes", ["--variants", "fast"], /--variants takes parts such as/],
  ["a LoRA adapter, which changes no rate", ["--lora", "x"], /bench takes no --lora/],
  ["a tokenizer without a grammar", ["--tokenizer", "x"], /bench takes no --tokenizer/],
  ["a grammar without a tokenizer", ["--shape", "toy", "--grammar"], /needs a tokenizer.*--tokenizer/],
  ["a tokenizer that is not there", ["--grammar", "--tokenizer", "/no/dir"], /\/no\/dir does not exist/],
  ["a grammar for kernels alone", ["--grammar", "--kernels"], /--grammar times whole answers/],
  ["layers of the embedded model", ["--layers", "2"], /--layers cuts random weights.*20b/],
  ["layers of a checkpoint", ["--model", "/no/model", "--layers", "2"], /--layers cuts random weights/],
  [
    "a context that the answer fills",
    ["--context", "128", "--prompt", "100"],
    /128 after a prompt of 1 \(--tokens\), which needs 129\. Give a context of 129 tokens/,
  ],
  [
    "a context shorter than the prompt",
    ["--prompt", "200", "--context", "160"],
    /\(--prompt\), which needs 201/,
  ],
  [
    "a context shorter than the depth",
    ["--depth", "900", "--context", "900"],
    /64 after a prompt of 900 \(--depth\), which needs 964/,
  ],
  [
    "a context shorter than the first token's prompt",
    ["--context", "20", "--tokens", "4", "--prompt", "4"],
    /a prompt of 32 \(first token\), which needs 33/,
  ],
  ["words that belong to no option", ["nano"], /"nano" belongs to no option/],
])("tells %s in one sentence", async (_, args, sentence) => {
  const { code, out, err } = await bench(...args);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toMatch(sentence);
  expect(err.trimEnd().split("\n")).toHaveLength(1);
});

it("--help lists the options", async () => {
  expect(await bench("--help")).toEqual({ code: 0, out: expect.stringContaining("--shape"), err: "" });
});
