import type { ModelSource, StorageFacts, StoredModelSummary, VerifyReport } from "../../src/index.ts";
import { formatBytes } from "../format.ts";
import { isEmbedded, listedFor, type ModelChoice } from "../model-choices.ts";

/**
 * A stored model's name for people: without protocol and fingerprint, a commit in 7 digits; that of the model beside
 * the page where `pageUrl` is given.
 */
export function storedName(id: string, pageUrl?: string): string {
  const listed = pageUrl === undefined ? undefined : listedFor(id, pageUrl);
  if (listed !== undefined && isEmbedded(listed)) return listed.name;
  const hub = /^hf:(.+)@([0-9a-f]{7})[0-9a-f]{33}$/.exec(id);
  if (hub !== null) return `${hub[1]}@${hub[2]}`;
  return id
    .replace(/^https?:\/\//, "")
    .replace(/\/resolve\/main\/$/, "")
    .replace(/^hf:/, "")
    .replace(/^lost:model-(.{6}).*$/, "damaged model $1 (its record was lost)")
    .replace(/^folder:(.*)#[0-9a-f]{16}$/, "$1 (imported folder)");
}

const storeNames = { indexeddb: "IndexedDB", opfs: "private file system" } as const;

/** What is known of a stored model: how much of it is there, and where. */
export function storedFacts(model: StoredModelSummary): string {
  const { ready, totalBytes, storedBytes, kind, store, files } = model;
  const size = ready ? formatBytes(totalBytes) : `${formatBytes(storedBytes)} of ${formatBytes(totalBytes)}`;
  return [
    ...(kind === "adapter" ? ["LoRA adapter"] : []),
    ...(ready ? [size] : [`not complete: ${size}`]),
    files.length === 1 ? "1 file" : `${files.length} files`,
    storeNames[store],
  ].join(" · ");
}

/** How a stored model can be asked for again; undefined where only its folder has what is missing. */
export function storedChoice(model: StoredModelSummary): ModelChoice | undefined {
  const name = storedName(model.id);
  const source = sourceOf(model);
  if (source !== undefined) return { name, source };
  return model.ready ? { name, source: { stored: model.id } } : undefined;
}

/** What `load` was called with, which the engine keeps as plain data. */
export function sourceOf({ source }: StoredModelSummary): ModelSource | undefined {
  const isSource = typeof source === "object" && source !== null && ("baseUrl" in source || "hf" in source);
  return isSource ? (source as ModelSource) : undefined;
}

/** One line about everything that is stored. */
export function storageSummary(
  models: readonly StoredModelSummary[],
  facts: StorageFacts | undefined,
): string {
  const failed = (facts?.failedStores ?? []).map(failedStoreText);
  if (models.length === 0) return failed.length === 0 ? "Nothing yet." : failed.join(" ");
  const bytes = models.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  const total = `${models.length === 1 ? "1 model" : `${models.length} models`}, ${formatBytes(bytes)}.`;
  if (facts === undefined) return total;
  const future = facts.persisted
    ? "It stays until you delete it."
    : "The browser may delete it when space runs short.";
  return [total, future, ...failed].join(" ");
}

function failedStoreText({ store }: StorageFacts["failedStores"][number]): string {
  return `The browser's ${storeNames[store]} does not answer, so models in it are not listed: close this site's other tabs, or restart the browser.`;
}

/** What a check found. */
export function verifyText({ ok, files, badTexts }: VerifyReport): string {
  if (ok) return "Checked: every byte is as it was published.";
  const bad = files.filter((file) => !file.ok);
  const damaged = bad.map(({ name, badChunks }) =>
    badChunks.length === 0 ? name : `${name} (${badChunks.length} parts)`.replace("(1 parts)", "(1 part)"),
  );
  const wrong = [...damaged, ...badTexts];
  return wrong.length === 0
    ? "Checked: what is stored is good, but it is not complete."
    : `Damaged or missing: ${wrong.join(", ")}. Repair fetches only that.`;
}
