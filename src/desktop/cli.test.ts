// The command line up to where a GPU is needed: mistakes are told in one sentence, exit 2, and nothing is written.
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { repositoryPath } from "../testing/reference.ts";
import { cli } from "../testing/terminal.ts";
import { adapterChoice, parseOptions, tokenList } from "./options.ts";

const scratch = mkdtempSync(join(tmpdir(), "gpt-oss-webgpu-cli-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const model = repositoryPath("fixtures/tiny-mxfp4");
const out = join(scratch, "logits.f32");
const broken = mkdtempSync(join(scratch, "broken-"));
writeFileSync(join(broken, "config.json"), '{"model_type": "gpt_oss",');
const empty = mkdtempSync(join(scratch, "empty-"));
const noWeights = mkdtempSync(join(scratch, "llama-"));
writeFileSync(join(noWeights, "config.json"), '{"model_type": "llama"}');

/** A copy of the model with one file changed, or without it. */
function changed(name: string, change: (text: string) => string | undefined): string {
  const copy = mkdtempSync(join(scratch, "changed-"));
  for (const file of readdirSync(model).filter((file) => !file.startsWith("reference")))
    copyFileSync(join(model, file), join(copy, file));
  const text = change(readFileSync(join(model, name), "latin1"));
  if (text === undefined) rmSync(join(copy, name));
  else writeFileSync(join(copy, name), text, "latin1");
  return copy;
}
const cutWeights = changed("model.safetensors", (text) => text.slice(0, text.length / 2));
const badTokenizer = changed("config.json", (text) => text);
writeFileSync(join(badTokenizer, "tokenizer.json"), '{"model": 1}');
const badSchema = join(scratch, "bad-schema.json");
// Some editors put a byte order mark in front.
writeFileSync(badSchema, '\uFEFF{"type":"array","uniqueItems":true}');
const nanoChat = ["chat", "--model", "nano"];
const ia3 = mkdtempSync(join(scratch, "ia3-"));
writeFileSync(join(ia3, "adapter_config.json"), '{"peft_type": "IA3"}');
const otherVocabulary = changed("config.json", (text) => text.replace(/("vocab_size": )320/, "$1321"));

// Whatever is wrong must be told before the GPU is opened: here that would fail, with another code.
beforeAll(() => void vi.stubEnv("DAWN_NODE", join(scratch, "no-dawn.node")));
afterAll(() => void vi.unstubAllEnvs());

const logits = (...more: string[]) => [
  "logits",
  "--model",
  model,
  "--tokens",
  "[1,2]",
  "--out",
  out,
  ...more,
];
const generate = (...more: string[]) => ["generate", "--model", model, "--tokens", "[1,2]", ...more];
const replaced = (args: string[], name: string, value: string) =>
  args.map((arg, i) => (args[i - 1] === name ? value : arg));

describe("mistakes", () => {
  it.each<[string, string[], RegExp]>([
    ["no command", [], /No command/],
    ["an unknown command", ["train"], /"train".*logits, generate, chat, render or parse/],
    ["a command that every object has", ["toString"], /"toString"/],
    ["an unknown option", logits("--verbose"), /'--verbose' \(--help lists them\)/],
    [
      "a day that there is not",
      [...nanoChat, "--date", "2026-13-45", "Hi"],
      /--date must be a day.*2026-13-45/,
    ],
    [
      "a repository for a folder",
      [...nanoChat.with(2, "openai/gpt-oss-20b"), "Hi"],
      /gpt-oss-20b does not exist.*Only folders on disk are read here/,
    ],
    ["an option without its value", ["generate", "--model"], /--model/],
    ["an option that looks like a value", generate("--temperature", "-1"), /--temperature=-1/],
    ["words that belong to no option", generate("fast"), /"fast"/],
    ["no model", ["generate", "--tokens", "[1]"], /--model is missing/],
    ["no tokens", ["generate", "--model", model], /--tokens is missing/],
    ["no out", ["logits", "--model", model, "--tokens", "[1]"], /--out is missing/],
    [
      "tokens that are not JSON",
      replaced(logits(), "--tokens", "[1,2"),
      /--tokens must be a JSON array.*\[1,2/,
    ],
    ["tokens that are no list", replaced(logits(), "--tokens", "7"), /--tokens/],
    ["no token", replaced(logits(), "--tokens", "[]"), /at least one/],
    ["a fractional token", replaced(logits(), "--tokens", "[1.5]"), /whole numbers/],
    ["a negative token", replaced(logits(), "--tokens", "[-1]"), /whole numbers/],
    ["a token that is text", replaced(logits(), "--tokens", '["1"]'), /whole numbers/],
    ["a token beyond the vocabulary", replaced(logits(), "--tokens", "[1,320]"), /token 1 is 320.*0 to 319/],
    ["a token beyond it, to generate", replaced(generate(), "--tokens", "[99999]"), /token 0 is 99999/],
    [
      "a folder that is not there",
      replaced(logits(), "--model", join(scratch, "gone")),
      /gone does not exist/,
    ],
    ["a file for a folder", replaced(logits(), "--model", join(model, "config.json")), /is not a folder/],
    ["a folder without a checkpoint", replaced(logits(), "--model", empty), /has no config\.json/],
    [
      "a config that is not JSON",
      replaced(logits(), "--model", broken),
      /broken-\w+\/config\.json is not valid JSON/,
    ],
    ["another kind of model", replaced(logits(), "--model", noWeights), /model_type.*gpt_oss/],
    ["an out in a folder that is not there", replaced(logits(), "--out", join(scratch, "no/x")), /--out/],
    ["an out that is a folder", replaced(logits(), "--out", empty), /is a folder/],
    ["no new tokens", generate("--max-new-tokens", "0"), /--max-new-tokens.*from 1/],
    ["a fraction of new tokens", generate("--max-new-tokens", "1.5"), /whole number/],
    ["new tokens that are no number", generate("--max-new-tokens", "many"), /"many"/],
    ["a temperature out of range", generate("--temperature", "101"), /--temperature.*0 to 100/],
    ["a seed out of range", generate("--seed", "4294967296"), /--seed/],
    ["another adapter", generate("--adapter", "nvidia"), /--adapter.*auto, swiftshader.*"nvidia"/],
    ["another KV format", generate("--kv", "int8"), /--kv.*f32, f16/],
    ["another variant", generate("--variant", "fast"), /--variant.*subgroups, workgroup/],
    ["a context of nothing", generate("--context-length", "0"), /--context-length/],
    ["a LoRA adapter that is not there", generate("--lora", join(scratch, "gone")), /gone does not exist/],
    [
      "a LoRA folder without an adapter",
      generate("--lora", model),
      /has no adapter_config\.json.*LoRA adapter/,
    ],
    ["another kind of adapter", generate("--lora", ia3), /peft_type must be "LORA"/],
    ["a tokenizer folder without one", generate("--tokenizer", empty), /has no tokenizer\.json/],
    ["weights that are cut", replaced(logits(), "--model", cutWeights), /model\.safetensors/],
    [
      "weights of another shape",
      replaced(logits(), "--model", otherVocabulary),
      /tensors do not match its config\.json.*\[321, 128\]/,
    ],
    ["a context that the model has not", generate("--context-length", "131073"), /from 1 to 131072/],
    ["an empty model", replaced(logits(), "--model", ""), /--model has an empty value/],
    ["an empty out", replaced(logits(), "--out", ""), /--out has an empty value/],
    ["empty tokens", replaced(logits(), "--tokens", ""), /--tokens has an empty value/],
    ["an empty number", generate("--seed", ""), /--seed has an empty value/],
    [
      "an out that cannot be written",
      replaced(logits(), "--out", join(scratch, "x".repeat(300))),
      /--out.*cannot be written: name too long/,
    ],
    ["no tokenizer for a chat", ["chat", "--model", model, "Hi"], /has no tokenizer\.json/],
    ["a tokenizer that is none", ["chat", "--model", badTokenizer, "Hi"], /tokenizer\.json/],
    [
      "a schema that is not there",
      [...nanoChat, "--json-schema", "/no/x.json", "Hi"],
      /json-schema.*no such file/,
    ],
    ["a schema that cannot be enforced", [...nanoChat, "--json-schema", badSchema, "Hi"], /uniqueItems/],
    ["two formats", [...nanoChat, "--json-schema", badSchema, "--json-object", "Hi"], /exclude each other/],
    ["a negative budget", [...nanoChat, "--max-reasoning-tokens", "-1", "Hi"], /--max-reasoning-tokens/],
    ["no question", ["chat", "--model", "nano"], /no question/],
    ["another effort", ["chat", "--model", "nano", "--effort", "max", "Hi"], /--effort.*low, medium, high/],
  ])("are told: %s", async (_, args, sentence) => {
    const outcome = await cli(...args);
    expect(outcome).toMatchObject({ code: 2, out: "" });
    expect(outcome.err).toMatch(sentence);
    expect(outcome.err.trimEnd().split("\n")).toHaveLength(1);
    expect(existsSync(out)).toBe(false);
  });
});

it.each(["--help", "help"])("%s lists the commands on stdout", async (name) => {
  const { code, out: help, err } = await cli(name);
  expect([code, err]).toEqual([0, ""]);
  for (const command of ["logits", "generate", "chat", "--adapter auto|swiftshader"])
    expect(help).toContain(command);
});

it.each(["logits", "generate", "chat"])(
  "%s --help tells of that command alone, whatever else is there",
  async (name) => {
    const { code, out: help, err } = await cli(name, "--tokens", "nonsense", "--help");
    expect([code, err]).toEqual([0, ""]);
    expect(help).toMatch(new RegExp(`cli -- ${name} `));
    expect(help.match(/cli -- /g)).toHaveLength(1);
    expect(help).toContain("--adapter auto|swiftshader");
  },
);

it("takes --help behind -- as words", async () => {
  const outcome = await cli("chat", "--model", empty, "--", "--help");
  expect(outcome).toMatchObject({ code: 2, out: "", err: expect.stringContaining("has no config.json") });
});

describe("options", () => {
  const options = (...args: string[]) =>
    parseOptions(args, { count: { type: "string" }, json: { type: "boolean" } });

  it("are read as text, numbers, words and switches", () => {
    const parsed = options("--count=3", "--json", "--adapter", "swiftshader", "what", "now");
    expect(parsed.number("count", { least: 1, most: 3 })).toBe(3);
    expect(parsed.number("gone", { least: 1, most: 3 })).toBeUndefined();
    expect(parsed.flag("json")).toBe(true);
    expect(parsed.text("model")).toBeUndefined();
    expect(adapterChoice(parsed)).toBe("swiftshader");
    expect(parsed.free).toEqual(["what", "now"]);
  });

  it("keep fractions where they may be", () => {
    expect(options("--count=0.7").number("count", { least: 0, most: 1, whole: false })).toBe(0.7);
    expect(() => options("--count= ").number("count", { least: 0, most: 1 })).toThrow("--count");
  });

  it("take a real GPU where nothing else is said", () => {
    expect(adapterChoice(options())).toBe("auto");
  });

  it("hold tokens as JSON", () => {
    const withTokens = (text: string) =>
      tokenList(parseOptions(["--tokens", text], { tokens: { type: "string" } }));
    expect(withTokens(" [0, 1, 201087] ")).toEqual([0, 1, 201087]);
    expect(() => withTokens(`[${"1,".repeat(1000)}]`)).toThrow(/…/);
  });
});
