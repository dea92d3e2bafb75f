import { describe, expect, it } from "vitest";
import { createBlobReader } from "./read-blob.ts";

const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 31) % 251);

/** What a scripted Blob does, and what was asked of it. */
interface Script {
  /** Bytes a piece. */
  readonly piece?: number;
  /** Whether streams can fill memory that is handed to them. Default true. */
  readonly isByteStream?: boolean;
  /** Such a stream keeps still after so many bytes. */
  readonly stopsAfter?: number;
  /** Plain streams keep still after so many bytes, and reading at once never ends. */
  readonly hangsAfter?: number;
  /** Streams break off after so many bytes. */
  readonly breaksAfter?: number;
}

/** A Blob that answers by script, and how many of its streams were opened, were open at once, and by how many memories they passed. */
function scripted(script: Script) {
  const seen = { byob: 0, plain: 0, atOnce: 0, mostAtOnce: 0, memories: new Set<number>() };
  const { piece = 700, isByteStream = true, stopsAfter = Infinity, breaksAfter = Infinity } = script;
  const { hangsAfter = Infinity } = script;
  const blob = (from: number, to: number): Blob =>
    ({
      size: to - from,
      slice: (start = 0, end = to - from) => blob(from + start, Math.min(to, from + end)),
      arrayBuffer: async () => {
        if (hangsAfter < Infinity) return new Promise(() => {});
        if (breaksAfter < Infinity) throw new DOMException("gone", "NotReadableError");
        return bytes.slice(from, to).buffer;
      },
      stream() {
        let at = 0;
        const next = () => {
          if (at >= breaksAfter) throw new TypeError("network error");
          const part = bytes.subarray(from + at, Math.min(to, from + at + piece));
          at += part.byteLength;
          return part;
        };
        return {
          getReader(options?: { mode?: string }) {
            if (options?.mode !== "byob") {
              seen.plain += 1;
              return {
                cancel: async () => {},
                async read() {
                  if (at >= hangsAfter) return new Promise(() => {});
                  const value = next();
                  return value.byteLength === 0 ? { done: true } : { done: false, value: value.slice() };
                },
              };
            }
            if (!isByteStream) throw new TypeError("no byte stream");
            seen.byob += 1;
            seen.atOnce += 1;
            seen.mostAtOnce = Math.max(seen.mostAtOnce, seen.atOnce);
            return {
              cancel: async () => {},
              async read(view: Uint8Array<ArrayBuffer>) {
                if (at >= stopsAfter) return new Promise(() => {});
                await Promise.resolve();
                const part = next();
                seen.memories.add(view.buffer.byteLength);
                const buffer = structuredClone(view.buffer, { transfer: [view.buffer] });
                const value = new Uint8Array(buffer, 0, part.byteLength);
                value.set(part);
                if (part.byteLength === 0) seen.atOnce -= 1;
                return { done: part.byteLength === 0, value };
              },
            };
          },
        };
      },
    }) as unknown as Blob;
  return { blob: blob(0, bytes.byteLength), seen };
}

async function read(
  reader: ReturnType<typeof createBlobReader>,
  blob: Blob,
  from = 0,
  to = bytes.byteLength,
) {
  const target = new Uint8Array(to - from);
  await reader(blob, from, target);
  return target;
}

describe("a Blob", () => {
  it.each([
    ["whole", 0, 10_000],
    ["from the middle", 1234, 9876],
    ["no byte of it", 500, 500],
  ])("is read %s, through memory that is used again", async (_, from, to) => {
    const { blob, seen } = scripted({});
    const reader = createBlobReader();
    expect(await read(reader, blob, from, to)).toEqual(bytes.subarray(from, to));
    expect(await read(reader, blob, from, to)).toEqual(bytes.subarray(from, to));
    expect(seen).toMatchObject({ byob: 2, plain: 0 });
    expect([...seen.memories]).toEqual([4 * 1024 * 1024]);
  });

  it("waits until the one before is through", async () => {
    const { blob, seen } = scripted({});
    const reader = createBlobReader();
    const all = await Promise.all([1, 2, 3, 4].map(() => read(reader, blob)));
    for (const one of all) expect(one).toEqual(bytes);
    expect(seen).toMatchObject({ byob: 4, mostAtOnce: 1 });
  });

  it.each([0, 700, 10_000])(
    "whose stream keeps still after %d bytes is read on the plain way, as is every later one",
    async (stopsAfter) => {
      const { blob, seen } = scripted({ stopsAfter });
      const reader = createBlobReader(20);
      expect(await read(reader, blob)).toEqual(bytes);
      const after = { ...seen };
      expect(await read(reader, blob, 10, 5000)).toEqual(bytes.subarray(10, 5000));
      expect(seen.byob).toBe(1);
      expect(seen.plain).toBe(after.plain + 1);
    },
  );

  it.each([
    { stopsAfter: 700, hangsAfter: 1400 },
    { stopsAfter: 0, hangsAfter: 0 },
    { breaksAfter: 700, hangsAfter: 1400 },
  ])("that keeps still on every way is lost: %j", async (script) => {
    const reader = createBlobReader(20, 30);
    await expect(read(reader, scripted(script).blob)).rejects.toMatchObject({ name: "NotFoundError" });
    expect(await read(reader, scripted({}).blob)).toEqual(bytes);
  });

  it("is read where the engine has no byte streams of Blobs", async () => {
    const { blob, seen } = scripted({ isByteStream: false });
    expect(await read(createBlobReader(), blob)).toEqual(bytes);
    expect(seen).toMatchObject({ byob: 0, plain: 1 });
  });

  it("that is lost fails with the reason, and the next one is read all the same", async () => {
    const reader = createBlobReader();
    const lost = read(reader, scripted({ breaksAfter: 1400 }).blob);
    await expect(lost).rejects.toMatchObject({ name: "NotReadableError" });
    const { blob, seen } = scripted({});
    expect(await read(reader, blob)).toEqual(bytes);
    expect(seen.byob).toBe(1);
  });

  it("of the engine itself is read", async () => {
    const target = new Uint8Array(5000);
    await createBlobReader()(new Blob([bytes]), 1000, target);
    expect(target).toEqual(bytes.subarray(1000, 6000));
  });
});
