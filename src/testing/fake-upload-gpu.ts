import { vi } from "vitest";
import type { Gpu } from "../gpu/gpu.ts";

/** A buffer that is its bytes. */
export interface FakeBuffer {
  readonly bytes: Uint8Array;
}

interface Copy {
  readonly from: FakeBuffer;
  readonly fromBytes: number;
  readonly to: FakeBuffer;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

const usage = { MAP_WRITE: 2, COPY_SRC: 4, COPY_DST: 8, STORAGE: 128, UNIFORM: 64, MAP_READ: 1 };

/**
 * A device whose queue copies at once, with the rules of `writeBuffer`, mapping and copies. It notes what arrives, and how
 * many bytes of staging buffers are alive.
 */
export function fakeUploadGpu({ keepsBytes = true } = {}) {
  vi.stubGlobal("GPUBufferUsage", usage);
  vi.stubGlobal("GPUMapMode", { WRITE: 2, READ: 1 });
  const writes: { offsetBytes: number; sizeBytes: number }[] = [];
  let flushes = 0;
  let stagingBytes = 0;

  function write({ from, fromBytes, to, offsetBytes, sizeBytes }: Copy): void {
    if (offsetBytes % 4 !== 0 || fromBytes % 4 !== 0 || sizeBytes % 4 !== 0)
      throw new Error(`copy of ${sizeBytes} bytes from ${fromBytes} to ${offsetBytes}`);
    writes.push({ offsetBytes, sizeBytes });
    if (!keepsBytes) return;
    if (offsetBytes + sizeBytes > to.bytes.byteLength) throw new Error("beyond the buffer's end");
    if (fromBytes + sizeBytes > from.bytes.byteLength) throw new Error("beyond the staging memory's end");
    to.bytes.set(from.bytes.subarray(fromBytes, fromBytes + sizeBytes), offsetBytes);
  }

  function createBuffer({ size }: { readonly size: number }) {
    let isMapped = false;
    const bytes = new Uint8Array(size).fill(0xee); // stale
    stagingBytes += size;
    return {
      size,
      bytes,
      async mapAsync(_mode: number, offset: number, mappedBytes: number) {
        if (isMapped) throw new Error("mapped twice");
        if (offset + mappedBytes > size) throw new Error("maps beyond the end");
        isMapped = true;
      },
      getMappedRange() {
        if (!isMapped) throw new Error("not mapped");
        return bytes.buffer; // all of it, whatever part was asked for
      },
      unmap() {
        isMapped = false;
      },
      get isMapped() {
        return isMapped;
      },
      destroy() {
        stagingBytes -= size;
      },
    };
  }

  const device = {
    limits: { maxBufferSize: 2 ** 31, maxStorageBufferBindingSize: 2 ** 31 },
    pushErrorScope: () => {},
    popErrorScope: async () => null,
    createBuffer,
    createCommandEncoder() {
      const copies: Copy[] = [];
      return {
        copyBufferToBuffer(
          from: FakeBuffer,
          fromBytes: number,
          to: FakeBuffer,
          at: number,
          sizeBytes: number,
        ) {
          copies.push({ from, fromBytes, to, offsetBytes: at, sizeBytes });
        },
        finish: () => copies,
      };
    },
    queue: {
      writeBuffer(
        to: FakeBuffer,
        offsetBytes: number,
        bytes: Uint8Array,
        fromBytes: number,
        sizeBytes: number,
      ) {
        write({ from: { bytes }, fromBytes, to, offsetBytes, sizeBytes });
      },
      submit(lists: readonly (readonly Copy[])[]) {
        for (const copy of lists.flat()) {
          if ("isMapped" in copy.from && copy.from.isMapped) throw new Error("copies from a mapped buffer");
          write(copy);
        }
      },
      async onSubmittedWorkDone() {
        flushes += 1;
      },
    },
  };
  return {
    gpu: { device } as unknown as Gpu,
    writes,
    flushes: () => flushes,
    stagingBytes: () => stagingBytes,
  };
}

export const fakeBuffer = (sizeBytes: number): FakeBuffer => ({
  bytes: new Uint8Array(Math.ceil(sizeBytes / 4) * 4),
});
