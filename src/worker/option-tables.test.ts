import { describe, expect, it } from "vitest";
import { checkOptions } from "../runtime/check-options.ts";
import { checkSource, downloadRules, engineOptions, workerLoadRules } from "./option-tables.ts";

describe("sources", () => {
  it.each<[unknown, RegExp]>([
    [
      { url: "https://x.test/" },
      /the source is an object with url; expected one place: \{ hf: .*\{ baseUrl: /,
    ],
    ["openai/gpt-oss-20b", /the source is "openai\/gpt-oss-20b"; expected one place.*parseSource/],
    [undefined, /source is missing; expected one place/],
    [{}, /an object with nothing in it; expected one place/],
    [{ hf: "a/b", baseUrl: "x" }, /an object with hf, baseUrl; expected one place/],
    [{ hf: "a/b", stored: undefined }, /an object with hf, stored; expected one place/],
    [{ hf: undefined }, /hf is missing; expected a text/],
    [{ hf: 3 }, /hf is 3; expected a text/],
    [{ hf: "a/b", revision: "main" }, /there is no option revision; there are baseUrl, hf/],
    [{ hf: "a/b", tokn: "x" }, /no option tokn; the nearest is token/],
    [{ files: { length: 1 } }, /files is an object with length; expected a list of files, such as/],
    [{ hf: "a/b", lora: "c/d" }, /lora is "c\/d"; expected one place/],
    [{ hf: "a/b", lora: { hf: "c/d", lora: { hf: "e/f" } } }, /no option lora\.lora; there are/],
    [{ hf: "a/b", chunkBytes: 3 }, /chunkBytes is 3; expected a whole number from 4194304 to 33554432/],
  ])("refuses %j", (source, message) => {
    expect(() => checkSource("load a model", source)).toThrow(message);
  });
  it.each([
    [{ hf: "a/b", token: "t", endpoint: "https://m.test", refresh: true, id: "x", chunkBytes: 2 ** 24 }],
    [{ baseUrl: "models/nano/", tokenizer: { baseUrl: "t/" }, lora: { files: [] } }],
    [{ files: [new File([], "config.json")], paths: ["a/config.json"], import: true }],
    [{ directory: { name: "x" }, import: false }],
    [{ stored: "hf:a/b@c" }],
  ])("takes %j", (source) => {
    expect(() => checkSource("load a model", source)).not.toThrow();
  });
});

describe("storage options", () => {
  it.each<[object, RegExp]>([
    [{ store: "x" }, /store is "x"; expected "indexeddb", "opfs" or "auto"/],
    [{ verify: "x" }, /verify is "x"; expected "full", "sampled" or "none"/],
    [{ otherTab: "x" }, /otherTab is "x"; expected "wait", "refuse", "take-over" or "share"/],
    [{ connections: 17 }, /connections is 17; expected a whole number from 1 to 16/],
  ])("refuses %j", (options, message) => {
    expect(() => checkOptions("load a model", options, workerLoadRules)).toThrow(message);
  });
  it("knows no GPU for a download", () => {
    expect(() => checkOptions("download", { dense: "int8" }, downloadRules)).toThrow(
      /no option dense; there are store/,
    );
  });
  it("knows no sharing of a download", () => {
    for (const otherTab of ["wait", "refuse", "take-over"])
      expect(() => checkOptions("download", { otherTab }, downloadRules)).not.toThrow();
    expect(() => checkOptions("download", { otherTab: "share" }, downloadRules)).toThrow(
      /otherTab is "share"; expected "wait", "refuse" or "take-over"/,
    );
  });
  it("are not handed to the engine", () => {
    const options = { dense: "int8", store: "opfs", otherTab: "share", contextLength: 9 } as const;
    expect(engineOptions(options)).toEqual({ dense: "int8", contextLength: 9 });
  });
});
