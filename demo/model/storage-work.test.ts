import { expect, test } from "vitest";
import { EngineError, type StoredModelSummary } from "../../src/index.ts";
import type { SessionEngine } from "../session.ts";
import type { Work } from "./progress-view.ts";
import { createStorageWork } from "./storage-work.ts";

const model: StoredModelSummary = {
  ...{ id: "https://site.test/m/", totalBytes: 10, storedBytes: 10, ready: true, store: "opfs", files: [] },
  source: { baseUrl: "https://site.test/m/" },
};
const unused = () => {
  throw new Error("not used");
};

/** Storage work over an engine of which the test writes what it is about. */
function start(own: Partial<SessionEngine>) {
  const works: (Work | undefined)[] = [];
  const notes: string[] = [];
  const errors: unknown[] = [];
  const engine: SessionEngine = {
    ...{ load: unused, chat: unused, dispose: unused, capabilities: unused, storage: unused },
    ...{ download: unused, pauseDownload: unused, resumeDownload: unused, models: unused },
    ...{ verifyModel: unused, repairModel: unused, exportModel: unused, deleteModel: unused },
    ...own,
  };
  const storage = createStorageWork({
    engine: () => engine,
    chunkBytes: 4_194_304,
    pageUrl: "https://page.test/",
    onWork: (work) => works.push(work),
    onNote: (_, { text }) => notes.push(text),
    onError: (error) => errors.push(error),
  });
  return { storage, works, notes, errors };
}

test("a check shows its progress, and leaves what it found", async () => {
  const progress = { phase: "verify", loadedBytes: 5, totalBytes: 10, file: "a" } as const;
  const { storage, works, notes } = start({
    verifyModel: async (id, { onProgress } = {}) => {
      onProgress?.(progress);
      return { id, ok: true, files: [], badTexts: [] };
    },
  });
  await storage.run("verify", model);
  const name = "site.test/m/";
  expect(works).toEqual([
    { kind: "verify", name, progress: undefined },
    { kind: "verify", name, progress },
    undefined,
  ]);
  expect(notes).toEqual(["Checked: every byte is as it was published."]);
});

test("while one piece of work runs, a second does nothing; cancelled work is no failure", async () => {
  let numDownloads = 0;
  const { storage, works, errors } = start({
    download: (source, { signal } = {}) => {
      numDownloads += 1;
      expect(source).toMatchObject({ hf: "org/name", chunkBytes: 4_194_304 });
      const aborted = new EngineError("aborted", "ended");
      return new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(aborted)));
    },
  });
  const choice = { name: "m", source: { hf: "org/name" } };
  const running = storage.download(choice);
  await storage.download(choice);
  storage.cancel();
  await running;
  expect(numDownloads).toBe(1);
  expect(works.at(-1)).toBeUndefined();
  expect(errors).toEqual([]);
});

test("what fails is shown, and the next piece of work can begin", async () => {
  const error = new EngineError("busy", "another tab");
  let isBusy = true;
  const { storage, works, errors } = start({
    deleteModel: async () => {
      if (isBusy) throw error;
    },
  });
  await storage.run("delete", model);
  isBusy = false;
  await storage.run("delete", model);
  expect(errors).toEqual([error]);
  expect(works.map((work) => work?.kind)).toEqual(["delete", undefined, "delete", undefined]);
});
