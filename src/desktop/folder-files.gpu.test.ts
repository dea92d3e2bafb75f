// Files that are read for buffers of a real Dawn.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createBufferSet } from "../gpu/buffers.ts";
import { openGpu } from "../gpu/gpu.ts";
import { uploadWeights } from "../model/upload.ts";
import type { CheckpointFiles } from "../weights/types.ts";
import { openDawn } from "./dawn.ts";
import { createFolderFiles } from "./folder-files.ts";

it("a device that is destroyed while files are read ends the upload as lost, and no read writes to its memory", async () => {
  const gpu = await openGpu(await openDawn(process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader"));
  expect(gpu.freesMappedMemory).toBe(true);
  const files = createFolderFiles("fixtures/tiny-mxfp4");
  const memories: Uint8Array[] = [];
  const dying: CheckpointFiles = {
    ...files,
    async readInto(name, startBytes, target, signal) {
      memories.push(target);
      const reading = files.readInto?.(name, startBytes, target, signal);
      gpu.destroy(); // before a byte can have come
      await reading;
    },
  };
  const set = createBufferSet(gpu);
  const buffer = set.storage("weights", 800_000);
  const tensor = { name: "weights", file: "model.safetensors", startBytes: 8, endBytes: 800_008 };
  const placements = [{ tensor, buffer, offsetBytes: 0, transpose: undefined }];
  await expect(uploadWeights(gpu, dying, placements)).rejects.toMatchObject({
    code: "device-lost",
    message: expect.stringContaining("while data was sent to it"),
  });
  // The whole of what was read is there: the memory was never the device's.
  const whole = readFileSync("fixtures/tiny-mxfp4/model.safetensors");
  expect(memories.map((memory) => Buffer.compare(memory, whole.subarray(8, 800_008)))).toEqual([0]);
  set.destroy();
});
