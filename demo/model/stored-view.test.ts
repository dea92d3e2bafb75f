import { describe, expect, test } from "vitest";
import type { StoredModelSummary, VerifyReport } from "../../src/index.ts";
import { storageSummary, storedChoice, storedFacts, storedName, verifyText } from "./stored-view.ts";

const model: StoredModelSummary = {
  id: "folder:my-model#0123456789abcdef",
  totalBytes: 14_800_000,
  storedBytes: 14_800_000,
  ready: true,
  store: "opfs",
  files: [{ name: "model.safetensors", sizeBytes: 14_800_000 }],
};
const part = { ...model, ready: false, storedBytes: 5_000_000 };

test.each([
  [`hf:openai/gpt-oss-20b@${"ab12".repeat(10)}`, "openai/gpt-oss-20b@ab12ab1"],
  ["https://site.test/models/x/", "site.test/models/x/"],
  ["https://huggingface.co/a/b/resolve/main/", "huggingface.co/a/b"],
  ["folder:my-model#0123456789abcdef", "my-model (imported folder)"],
])("%s is shown as %s", (id, name) => expect(storedName(id)).toBe(name));

test("the model beside the page has its name, wherever the page is", () => {
  const id = "https://site.test/chat/models/gpt-oss-nano/";
  expect(storedName(id, "https://site.test/chat/?date=2026-11-22")).toBe("gpt-oss-nano");
  expect(storedName(id, "https://other.test/")).toBe("site.test/chat/models/gpt-oss-nano/");
  const hub = `hf:openai/gpt-oss-20b@${"ab12".repeat(10)}`;
  expect(storedName(hub, "https://site.test/"), "a repository's has its commit").toBe(storedName(hub));
});

describe("a stored model", () => {
  test("has size, files and place", () => {
    expect(storedFacts(model)).toBe("14.8 MB · 1 file · private file system");
    expect(storedFacts(part)).toBe("not complete: 5.0 MB of 14.8 MB · 1 file · private file system");
    expect(storedFacts({ ...model, kind: "adapter" })).toMatch(/^LoRA adapter · /);
  });

  test("is loaded from where it came, so that damage can be repaired; a folder's from storage", () => {
    const source = { hf: "hf:org/name@main" };
    expect(storedChoice({ ...model, source })?.source).toBe(source);
    expect(storedChoice(model)?.source).toEqual({ stored: model.id });
    expect(storedChoice(part), "only the folder has the rest").toBeUndefined();
    expect(storedChoice({ ...part, source })?.source).toBe(source);
  });
});

test("the storage is summed up, with whether it lasts", () => {
  const facts = { persisted: false, usageBytes: undefined, claimedQuotaBytes: undefined, failedStores: [] };
  expect(storageSummary([], facts)).toBe("Nothing yet.");
  expect(storageSummary([model], undefined)).toBe("1 model, 14.8 MB.");
  expect(storageSummary([model, part], facts)).toBe(
    "2 models, 19.8 MB. The browser may delete it when space runs short.",
  );
  expect(storageSummary([model], { ...facts, persisted: true })).toContain("stays until you delete");
  const failing = { ...facts, failedStores: [{ store: "opfs", message: "no" }] } as const;
  expect(storageSummary([], failing)).toMatch(/^The browser's private file system does not answer/);
  expect(storageSummary([model], failing)).toMatch(/^1 model, .* restart the browser\.$/);
});

test("a check says what is damaged, by file", () => {
  const good = { name: "a", ok: true, badChunks: [] };
  const report: VerifyReport = { id: "x", ok: true, files: [good], badTexts: [] };
  expect(verifyText(report)).toBe("Checked: every byte is as it was published.");
  const files = [
    good,
    { name: "b", ok: false, badChunks: [3] },
    { name: "c", ok: false, badChunks: [1, 2] },
    { name: "d", ok: false, badChunks: [] },
  ];
  expect(verifyText({ ...report, ok: false, files, badTexts: ["config.json"] })).toBe(
    "Damaged or missing: b (1 part), c (2 parts), d, config.json. Repair fetches only that.",
  );
  expect(verifyText({ ...report, ok: false })).toContain("not complete");
});
