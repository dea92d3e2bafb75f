import { describe, expect, it } from "vitest";
import { parseRetryAfter } from "./retry.ts";
import { resolveSourceUrl } from "./source-url.ts";

describe("resolveSourceUrl", () => {
  it.each([
    ["https://huggingface.co/openai/gpt-oss-20b", "https://huggingface.co/openai/gpt-oss-20b/resolve/main/"],
    [
      " https://huggingface.co/openai/gpt-oss-20b/ ",
      "https://huggingface.co/openai/gpt-oss-20b/resolve/main/",
    ],
    ["https://huggingface.co/a/b/tree/6cee5e8", "https://huggingface.co/a/b/resolve/6cee5e8/"],
    ["https://huggingface.co/a/b/tree/main/sub", "https://huggingface.co/a/b/resolve/main/sub/"],
    ["https://huggingface.co/a/b/resolve/main", "https://huggingface.co/a/b/resolve/main/"],
    ["https://example.org/models/x?y=1#z", "https://example.org/models/x/"],
    ["http://localhost:5173", "http://localhost:5173/"],
  ])("%s", (address, url) => {
    expect(resolveSourceUrl(address)).toBe(url);
  });
  it("starts relative addresses from the one given", () => {
    expect(resolveSourceUrl("/models/nano", "http://localhost:8080/demo/")).toBe(
      "http://localhost:8080/models/nano/",
    );
  });
  it.each(["models/nano", "", "file:///etc", "javascript:alert(1)", "https://me:secret@example.org/x"])(
    "refuses %j",
    (address) => {
      expect(() => resolveSourceUrl(address)).toThrow(/as the address of a checkpoint/);
    },
  );
});

describe("parseRetryAfter", () => {
  it.each([
    [null, undefined],
    ["2", 2000],
    ["Sun, 22 Nov 2026 10:00:05 GMT", 5000],
    ["Sun, 22 Nov 2026 09:00:00 GMT", 0],
    ["soon", undefined],
  ])("reads %j", (header, ms) => {
    expect(parseRetryAfter(header, Date.UTC(2026, 10, 22, 10))).toBe(ms);
  });
});
