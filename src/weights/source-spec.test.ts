import { describe, expect, it } from "vitest";
import { hubId, parseHubRepo, parseSource } from "./source-spec.ts";

const sha = "6cee5e81ee83917806bbde320786a8fb61efebee";

describe("parseHubRepo", () => {
  it.each([
    ["hf:openai/gpt-oss-20b", "openai/gpt-oss-20b", "main", ""],
    [" openai/gpt-oss-20b ", "openai/gpt-oss-20b", "main", ""],
    [`hf:openai/gpt-oss-20b@${sha}`, "openai/gpt-oss-20b", sha, ""],
    ["hf:a/b@refs/pr/1", "a/b", "refs/pr/1", ""],
    [`hf:openai/gpt-oss-20b/original@${sha}`, "openai/gpt-oss-20b", sha, "original"],
  ])("%s", (text, repo, revision, folder) => {
    expect(parseHubRepo(text)).toEqual({ repo, revision, folder });
  });
  it("is undone by hubId", () => {
    expect(hubId(parseHubRepo(`hf:a/b/c@${sha}`))).toBe(`hf:a/b/c@${sha}`);
  });
  it.each([
    "hf:",
    "hf:name",
    "hf:a/b@",
    "hf:a/../b",
    "hf:a/b@../x",
    "hf:a//b",
    "hf:a/b c",
    "hf:a/b?x=1",
    "hf:a/b@m#x",
  ])("refuses %j", (text) => {
    expect(() => parseHubRepo(text)).toThrow(/as a repository on Hugging Face/);
  });
});

describe("parseSource", () => {
  it.each([
    ["hf:openai/gpt-oss-20b", "hf:openai/gpt-oss-20b@main"],
    ["openai/gpt-oss-20b", "hf:openai/gpt-oss-20b@main"],
    [` openai/gpt-oss-20b/original@${sha} `, `hf:openai/gpt-oss-20b/original@${sha}`],
    ["a/b@refs/pr/1", "hf:a/b@refs/pr/1"],
    ["https://huggingface.co/openai/gpt-oss-20b", "hf:openai/gpt-oss-20b@main"],
    ["https://hf.co/openai/gpt-oss-20b/", "hf:openai/gpt-oss-20b@main"],
    ["https://huggingface.co/a/b/tree/main/original", "hf:a/b/original@main"],
    [`https://huggingface.co/a/b/resolve/${sha}/`, `hf:a/b@${sha}`],
    ["https://huggingface.co/a/b/tree/refs%2Fpr%2F1", "hf:a/b@refs/pr/1"],
  ])("%s is a repository", (text, hf) => {
    expect(parseSource(text)).toEqual({ hf });
  });
  it.each([
    ["https://example.org/models/x", "https://example.org/models/x/"],
    ["https://huggingface.co/a/b/discussions/3", "https://huggingface.co/a/b/discussions/3/"],
    ["https://huggingface.co.evil.test/a/b", "https://huggingface.co.evil.test/a/b/"],
  ])("%s is an address", (text, baseUrl) => {
    expect(parseSource(text)).toEqual({ baseUrl });
  });
  it.each(["./x", "../x/y", "/models/x", "gpt-oss-20b", ""])("refuses %j and says what it takes", (text) => {
    expect(() => parseSource(text)).toThrow(
      /it is not an absolute URL.*http\(s\) URL of a folder.*or a repository on Hugging Face as org\/name/,
    );
  });
  it("starts relative addresses from the one given", () => {
    expect(parseSource("models/nano", "https://page.test/demo/")).toEqual({
      baseUrl: "https://page.test/demo/models/nano/",
    });
  });
});
