import { expect, it } from "vitest";
import { openDawn } from "../desktop/dawn.ts";
import { testGpu } from "../testing/gpu-device.ts";
import { createBufferSet, readBuffer } from "./buffers.ts";
import { openGpu } from "./gpu.ts";
import { createStaging, type UploadWay } from "./staging.ts";

const ways: readonly UploadWay[] = ["staging", "write-buffer"];

it.each(ways.flatMap((way) => [false, true].map((freesMappedMemory) => ({ way, freesMappedMemory }))))(
  "pieces arrive whole and in order, in memory that is used again: %j",
  async ({ way, freesMappedMemory }) => {
    const gpu = { ...(await testGpu()), freesMappedMemory };
    const set = createBufferSet(gpu);
    const target = set.storage("target", 64);
    const staging = createStaging(gpu, way, 32, set);
    for (let piece = 0; piece < 5; piece += 1) {
      const sizeBytes = piece === 4 ? 16 : 32;
      if (piece % 2 === 0) {
        const memory = await staging.open(sizeBytes);
        expect(memory.byteLength).toBe(sizeBytes);
        memory.fill(piece + 1);
        staging.close();
      } else {
        await staging.fill(sizeBytes, async (memory) => {
          expect(memory.byteLength).toBe(sizeBytes);
          await new Promise((resolve) => setTimeout(resolve));
          memory.fill(piece + 1);
        });
      }
      staging.copy([
        { fromBytes: 4, sizeBytes: 4, buffer: target, offsetBytes: 4 * piece },
        { fromBytes: 0, sizeBytes: 8, buffer: target, offsetBytes: 32 },
      ]);
    }
    const got = new Uint32Array(await readBuffer(gpu, target));
    const all = [1, 2, 3, 4, 5, 0, 0, 0, 5, 5, 0, 0, 0, 0, 0, 0];
    expect([...got]).toEqual(all.map((byte) => byte * 0x01010101));
    await set.settled();
    set.destroy();
  },
);

it("a device that goes away is told while its memory is waited for", async () => {
  const gpu = await openGpu(await openDawn(process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader"));
  const set = createBufferSet(gpu);
  const target = set.storage("target", 64);
  const staging = createStaging(gpu, "staging", 32, set);
  (await staging.open(32)).fill(1);
  staging.close();
  staging.copy([{ fromBytes: 0, sizeBytes: 32, buffer: target, offsetBytes: 0 }]);
  gpu.destroy();
  await expect(staging.open(32)).rejects.toMatchObject({ code: "device-lost" });
});
