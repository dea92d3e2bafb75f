import { describe, expect, test } from "vitest";
import {
  choiceFromAddress,
  defaultTemperature,
  embeddedModel,
  isEmbedded,
  listedFor,
  sameChoice,
} from "./model-choices.ts";

describe("addresses of checkpoints", () => {
  test.each([
    ["openai/gpt-oss-20b", "openai/gpt-oss-20b", { hf: "hf:openai/gpt-oss-20b@main" }],
    ["hf:org/name/original@v1", "org/name/original@v1", { hf: "hf:org/name/original@v1" }],
    [
      " https://huggingface.co/openai/gpt-oss-20b/resolve/main/ ",
      "openai/gpt-oss-20b",
      { hf: "hf:openai/gpt-oss-20b@main" },
    ],
    ["http://127.0.0.1:8080/models/tiny/", "tiny", { baseUrl: "http://127.0.0.1:8080/models/tiny/" }],
    ["https://models.test", "models.test", { baseUrl: "https://models.test/" }],
  ])("%s", (typed, name, source) => {
    expect(choiceFromAddress(typed)).toEqual({ name, source });
  });

  test.each(["", "gpt-oss", "a//b", "file:///etc/passwd", "javascript:alert(1)", "not a url"])(
    "%j is refused",
    (typed) => {
      expect(choiceFromAddress(typed)).toBeUndefined();
    },
  );

  test("an access token goes to repositories alone", () => {
    expect(choiceFromAddress("org/name", " hf_x ")?.source).toEqual({
      hf: "hf:org/name@main",
      token: "hf_x",
    });
    expect(choiceFromAddress("https://models.test/a/", "hf_x")?.source).not.toHaveProperty("token");
  });
});

test("the embedded model is greedy by default, others sample", () => {
  expect(defaultTemperature({ ...embeddedModel, settings: { dense: "int8" } })).toBe(0);
  expect(defaultTemperature({ name: "org/name", source: { hf: "org/name" } })).toBe(1);
  expect(isEmbedded({ name: "nano", source: { baseUrl: "models/other/" } })).toBe(false);
});

test("a stored model belongs to the entry of the picker with its place", () => {
  const page = "https://site.test/page/index.html";
  expect(listedFor("https://site.test/page/models/gpt-oss-nano/", page)?.name).toBe("gpt-oss-nano");
  expect(listedFor(`hf:openai/gpt-oss-20b@${"a".repeat(40)}`, page)?.published).toBe("20b");
  expect(listedFor(`hf:openai/gpt-oss-20b/original@${"a".repeat(40)}`, page)).toBeUndefined();
  expect(listedFor("https://site.test/models/gpt-oss-nano/", page)).toBeUndefined();
});

test("a choice is the same where its place and what shapes the model are", () => {
  const files: File[] = [];
  const hub = { name: "a", source: { hf: "org/name" } };
  const picked = { name: "f", source: { files } };
  expect(sameChoice(hub, { name: "b", source: { hf: "org/name", token: "t" } })).toBe(true);
  expect(sameChoice(hub, { ...hub, settings: { store: "opfs" } })).toBe(true);
  expect(sameChoice(hub, { ...hub, settings: { contextLength: 16 } })).toBe(false);
  expect(sameChoice(hub, { name: "a", source: { hf: "org/other" } })).toBe(false);
  expect(sameChoice(picked, { name: "f", source: { files } })).toBe(true);
  expect(sameChoice(picked, { name: "f", source: { files: [] } })).toBe(false);
  expect(sameChoice(picked, { name: "f", source: { files, import: true } })).toBe(false);
});
