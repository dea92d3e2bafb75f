import { describe, expect, it } from "vitest";
import { inspectFolder } from "../weights/picked-folder.ts";
import { absoluteSource } from "./absolute-source.ts";
import { droppedSource } from "./dropped-source.ts";

const file = (name: string, text = "{}") => new File([text], name);

interface FakeTree {
  readonly [name: string]: File | FakeTree;
}

/** An entry of the older drop interface; its reader gives two entries at a time. */
function entry(name: string, content: File | FakeTree): FileSystemEntry {
  if (content instanceof File) {
    const fake = {
      isFile: true,
      isDirectory: false,
      name,
      file: (resolve: (file: File) => void) => resolve(content),
    };
    return fake as unknown as FileSystemEntry;
  }
  const createReader = () => {
    const rest = Object.entries(content).map(([child, value]) => entry(child, value));
    return { readEntries: (resolve: (part: FileSystemEntry[]) => void) => resolve(rest.splice(0, 2)) };
  };
  return { isFile: false, isDirectory: true, name, createReader } as unknown as FileSystemEntry;
}

const item = (more: Record<string, unknown>): DataTransferItem =>
  ({
    kind: "file",
    getAsFile: () => null,
    webkitGetAsEntry: () => null,
    ...more,
  }) as unknown as DataTransferItem;

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("droppedSource", () => {
  it("gives a folder as its handle, where the browser has handles", async () => {
    const directory = { kind: "directory", name: "m" };
    const dropped = item({
      getAsFileSystemHandle: async () => directory,
      webkitGetAsEntry: () => entry("m", {}),
    });
    expect(await droppedSource([dropped])).toEqual({ directory });
  });

  it("walks a folder otherwise, with the path of each file", async () => {
    const tree = {
      "config.json": file("config.json"),
      "model.safetensors": file("model.safetensors", "1234"),
      "README.md": file("README.md"),
      original: { "config.json": file("config.json"), deep: { "x.txt": file("x.txt") } },
    };
    const source = await droppedSource([item({ webkitGetAsEntry: () => entry("m", tree) })]);
    if (!("files" in source)) throw new Error("no files");
    expect(source.paths).toEqual([
      "m/config.json",
      "m/model.safetensors",
      "m/README.md",
      "m/original/config.json",
    ]);
    expect(await inspectFolder(source)).toMatchObject({ name: "m", folder: "", totalBytes: 4, missing: [] });
  });

  it("takes files that were dropped by themselves, also where handles are refused", async () => {
    const refused = () => Promise.reject(new DOMException("no", "NotAllowedError"));
    const files = [file("config.json"), file("model.safetensors")];
    const items = files.map((one) => item({ getAsFile: () => one, getAsFileSystemHandle: refused }));
    expect(await droppedSource([...items, item({ kind: "string" })])).toEqual({ files });
  });

  it("refuses several folders, and nothing", async () => {
    const folder = () => item({ webkitGetAsEntry: () => entry("m", {}) });
    expect(await failure(droppedSource([folder(), folder()]))).toMatchObject({ code: "request-invalid" });
    expect(await failure(droppedSource([item({ kind: "string" })]))).toMatchObject({
      code: "request-invalid",
    });
  });
});

describe("absoluteSource", () => {
  it("notes the paths of picked files, which a clone of them may lack", () => {
    const picked = file("config.json");
    Object.defineProperty(picked, "webkitRelativePath", { value: "m/original/config.json" });
    const tokenizer = { files: [file("tokenizer.json")] };
    expect(absoluteSource({ files: [picked], tokenizer })).toMatchObject({
      paths: ["m/original/config.json"],
      tokenizer: { paths: ["tokenizer.json"] },
    });
  });
});
