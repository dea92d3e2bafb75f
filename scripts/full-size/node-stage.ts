import { join } from "node:path";
import { measureRead, measureUpload } from "../../src/bench/load-rates.ts";
import { type AdapterChoice, openDawn } from "../../src/desktop/dawn.ts";
import { createFolderFiles } from "../../src/desktop/folder-files.ts";
import { openGpu } from "../../src/gpu/gpu.ts";
import { createEngine } from "../../src/runtime/engine.ts";
import type { WrittenCheckpoint } from "./generate.ts";
import { measurePlainRead } from "./plain-read.ts";
import { ownMemory } from "./processes.ts";
import type { ProofShape } from "./shape.ts";

const mib = 1024 * 1024;

/** The model in Node through Dawn, from the files: rates of reading and uploading, tokens and logits to compare with. */
export async function nodeStage(shape: ProofShape, written: WrittenCheckpoint, adapter: AdapterChoice) {
  const provider = await openDawn(adapter);
  const gpu = await openGpu(provider);
  const upload = {
    staging: await measureUpload(gpu, "staging", shape.uploadBytes),
    writeBuffer: await measureUpload(gpu, "write-buffer", shape.uploadBytes),
  };
  gpu.destroy();
  const files = createFolderFiles(written.folder);
  const names = written.files.map(({ name }) => name);
  const read = {
    plain: await measurePlainRead(names.map((name) => join(written.folder, name))),
    folderFiles: await measureRead(files, names, gpu),
  };
  const before = ownMemory();
  const engine = await createEngine(provider);
  const { contextLength, prompt, newTokens } = shape;
  const started = performance.now();
  const info = await engine.load(files, { contextLength });
  const loadSeconds = (performance.now() - started) / 1000;
  const after = ownMemory();
  const tokens: number[] = [];
  const options = { maxNewTokens: newTokens, temperature: 0, stopTokens: [] };
  for await (const token of engine.generate(prompt, options)) tokens.push(token);
  const logits = await engine.logits(prompt, "prefill");
  const { load } = info;
  engine.dispose();
  const slower = Math.min(
    upload[load.way === "staging" ? "staging" : "writeBuffer"].gigabytesPerSecond,
    Math.max(read.plain.gigabytesPerSecond, read.folderFiles.gigabytesPerSecond),
  );
  return {
    facts: {
      adapter: info.adapter,
      upload,
      read,
      load,
      loadSeconds,
      shareOfSlower: load.gigabytesPerSecond / slower,
      rssMiB: {
        beforeLoad: Math.round(before.rssBytes / mib),
        afterLoad: Math.round(after.rssBytes / mib),
        peak: Math.round(after.peakBytes / mib),
      },
    },
    tokens,
    logits,
  };
}
