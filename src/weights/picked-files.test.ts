import "fake-indexeddb/auto";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { repositoryPath } from "../testing/reference.ts";
import { createIndexedDbStore } from "./indexeddb-store.ts";
import { readManifest } from "./manifest.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { openSource } from "./open-source.ts";
import { folderFiles } from "./picked-files.ts";
import { inspectFolder } from "./picked-folder.ts";

/** A file as `<input webkitdirectory>` gives it; counts the bytes that are read of it. */
function pickedFile(path: string, content: BlobPart, read: { bytes: number } = { bytes: 0 }): File {
  const file = new File([content], path.split("/").at(-1) ?? path, { lastModified: 1_700_000_000_000 });
  Object.defineProperty(file, "webkitRelativePath", { value: path.includes("/") ? path : "" });
  const slice = file.slice.bind(file);
  file.slice = (start, end, type) => {
    read.bytes += (end ?? file.size) - (start ?? 0);
    return slice(start, end, type);
  };
  return file;
}

interface FakeFolder {
  readonly [name: string]: File | FakeFolder;
}

/** A directory handle as `showDirectoryPicker` gives it. */
function directory(name: string, content: FakeFolder): FileSystemDirectoryHandle {
  const entries = Object.entries(content).map(([entry, value]) => [
    entry,
    value instanceof File
      ? { kind: "file", name: entry, getFile: async () => value }
      : directory(entry, value),
  ]);
  const handle = {
    kind: "directory",
    name,
    async *entries() {
      yield* entries;
    },
  };
  return handle as unknown as FileSystemDirectoryHandle;
}

const folder = repositoryPath("fixtures/tiny-sharded");
const fixtureNames = readdirSync(folder).filter((name) => !name.startsWith("reference"));
const fixtureFiles = (prefix: string, read?: { bytes: number }) =>
  fixtureNames.map((name) =>
    pickedFile(prefix + name, new Uint8Array(readFileSync(`${folder}/${name}`)), read),
  );

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("folderFiles", () => {
  it("opens a picked folder by its paths, reading only what is asked for", async () => {
    const read = { bytes: 0 };
    const files = await folderFiles({ files: fixtureFiles("tiny-sharded/", read) });
    const manifest = await readManifest(files);
    expect(manifest.files).toHaveLength(3);
    const before = read.bytes;
    const [weights] = manifest.files;
    const bytes = await files.read(weights?.name ?? "", 100, 164);
    expect(Buffer.compare(bytes, readFileSync(`${folder}/${weights?.name}`).subarray(100, 164))).toBe(0);
    expect(read.bytes - before).toBe(64);
  });

  it("opens a directory handle", async () => {
    const content = Object.fromEntries(fixtureFiles("").map((file) => [file.name, file]));
    const files = await folderFiles({ directory: directory("tiny-sharded", content) });
    expect((await readManifest(files)).config.numLayers).toBe(3);
    expect(files.id).toMatch(/^folder:tiny-sharded#[0-9a-f]{16}$/);
  });

  it("finds the checkpoint one folder down, and original/ with the tokenizer above it", async () => {
    const nested = Object.fromEntries(fixtureFiles("").map((file) => [file.name, file]));
    const top = { original: nested, "tokenizer.json": pickedFile("tokenizer.json", "{}") };
    const handle = { directory: directory("gpt-oss", top) };
    expect(await inspectFolder(handle)).toMatchObject({
      folder: "original",
      hasTokenizer: true,
      missing: [],
    });
    expect(await (await folderFiles(handle)).readText("tokenizer.json")).toBe("{}");
  });

  it("prefers the top folder where both layouts are there", async () => {
    const both = [...fixtureFiles("both/"), ...fixtureFiles("both/original/")];
    expect((await inspectFolder({ files: both })).folder).toBe("");
  });

  it("names the files that are missing and those that are extra", async () => {
    const files = fixtureFiles("x/").filter(({ name }) => name !== "model-00001-of-00002.safetensors");
    files.push(pickedFile("x/model-00003-of-00002.safetensors", "?"));
    expect(await failure(folderFiles({ files }))).toMatchObject({
      code: "checkpoint-invalid",
      details: {
        missing: ["model-00001-of-00002.safetensors"],
        extra: ["model-00003-of-00002.safetensors"],
      },
    });
  });

  it("names what it found where there is no checkpoint", async () => {
    const files = [pickedFile("photos/a.jpg", "?"), pickedFile("photos/b.jpg", "?")];
    expect(await failure(folderFiles({ files }))).toMatchObject({
      code: "checkpoint-invalid",
      message: expect.stringMatching(/The folder photos has no config.json \(found: a.jpg, b.jpg\)/),
    });
  });

  it("asks which, where a folder holds several checkpoints", async () => {
    const files = [pickedFile("m/a/config.json", "{}"), pickedFile("m/b/config.json", "{}")];
    expect(await failure(folderFiles({ files }))).toMatchObject({
      message: expect.stringMatching(/in a, b/),
    });
  });

  it("gives two folders of one name two ids", async () => {
    const id = async (file: File) =>
      (await folderFiles({ files: [pickedFile("m/config.json", "{}"), file] })).id;
    const one = await id(pickedFile("m/model.safetensors", "1234"));
    expect(await id(pickedFile("m/model.safetensors", "1234"))).toBe(one);
    expect(await id(pickedFile("m/model.safetensors", "12345"))).not.toBe(one);
  });

  it("tells a file that has changed since from a fault", async () => {
    const file = pickedFile("m/model.safetensors", "1234");
    file.slice = () => {
      throw new DOMException("The requested file could not be read", "NotReadableError");
    };
    const files = await folderFiles({ files: [pickedFile("m/config.json", "{}"), file] });
    expect(await failure(files.read("model.safetensors", 0, 4))).toMatchObject({
      code: "checkpoint-invalid",
      message: expect.stringMatching(/changed, moved or removed/),
    });
  });

  it("refuses a range beyond the end, and an aborted read", async () => {
    const files = await folderFiles({
      files: [pickedFile("m/config.json", "{}"), pickedFile("m/model.safetensors", "1234")],
    });
    expect(await failure(files.read("model.safetensors", 0, 5))).toMatchObject({
      code: "checkpoint-invalid",
    });
    expect(await failure(files.read("model.safetensors", 0, 4, AbortSignal.abort()))).toMatchObject({
      code: "aborted",
    });
  });

  it("explains a permission that has lapsed", async () => {
    const handle = {
      kind: "directory",
      name: "m",
      entries: () => {
        throw new DOMException("not allowed", "NotAllowedError");
      },
    };
    expect(
      await failure(folderFiles({ directory: handle as unknown as FileSystemDirectoryHandle })),
    ).toMatchObject({ code: "request-invalid", message: expect.stringMatching(/pick it again/) });
  });
});

describe("openSource with a folder", () => {
  it("imports it so that it loads by its id, without the folder", async () => {
    const store = createIndexedDbStore("import-test");
    const read = { bytes: 0 };
    const { files: picked } = await openSource({ files: fixtureFiles("m/", read), import: true });
    const imported = await openCheckpoint({ source: picked, store });
    const readBytes = read.bytes;
    const { files: again } = await openSource({ stored: picked.id });
    const { files } = await openCheckpoint({ source: again, store });
    for (const { name, sizeBytes } of imported.manifest.files) {
      const bytes = await files.read(name, 0, sizeBytes);
      expect(Buffer.compare(bytes, readFileSync(`${folder}/${name}`)), name).toBe(0);
    }
    expect(read.bytes).toBe(readBytes);
  });

  it("says what to do where an id is not stored whole", async () => {
    const store = createIndexedDbStore("import-test-2");
    const { files } = await openSource({ stored: "folder:gone#0" });
    expect(await failure(openCheckpoint({ source: files, store }))).toMatchObject({
      code: "download-failed",
      message: expect.stringMatching(/folder:gone#0 is not whole.*Import its folder again/),
    });
    expect(
      await failure(openSource({ files: fixtureFiles("m/"), tokenizer: { stored: "x" } })),
    ).toMatchObject({
      code: "request-invalid",
    });
  });

  it("reads in place unless an import is asked for, and takes id and tokenizer from the source", async () => {
    const tokenizer = { files: [pickedFile("t/tokenizer.json", '{"a":1}')] };
    const opened = await openSource({ files: fixtureFiles("m/"), id: "mine", tokenizer });
    expect(opened).toMatchObject({ stored: false, files: { id: "mine" } });
    expect(await opened.files.readText("tokenizer.json")).toBe('{"a":1}');
    expect((await openSource({ files: fixtureFiles("m/"), import: true })).stored).toBe(true);
  });
});
