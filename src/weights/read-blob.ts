/** Memory that a reader's pieces pass through. As much as Chromium's pipes hold and more: smaller reads get lost more often. */
const pieceBytes = 4 * 1024 * 1024;
/** A read without an answer for so long is taken for lost. */
const defaultPatienceMs = 1000;

/**
 * Fills `target` with a Blob's bytes from `skipBytes` on.
 * @throws DOMException where the Blob's file is lost, also in part
 */
export type ReadBlob = (blob: Blob, skipBytes: number, target: Uint8Array) => Promise<void>;

/**
 * Makes a reader of Blobs through their streams, whose pieces all pass through the same memory (BYOB): in Chromium 156 that
 * is the fastest way, and leaves the collector nothing. Now and then a read of that kind never ends there, most of all where
 * several are under way. So one Blob is read at a time, and one that keeps still for `patienceMs` is read on the plain way, as is
 * every later one (docs/decisions/0017 has figures).
 */
export function createBlobReader(patienceMs = defaultPatienceMs): ReadBlob {
  let memory: ArrayBuffer | undefined;
  let isTrusted = true;
  let last: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  }

  /** @returns the bytes that came: fewer where the rest is to be read on the plain way, or is not there */
  async function readReusing(blob: Blob, target: Uint8Array): Promise<number> {
    const reader = isTrusted ? byobReader(blob) : undefined;
    isTrusted = reader !== undefined;
    if (reader === undefined) return 0;
    let piece = memory ?? new ArrayBuffer(pieceBytes);
    memory = undefined;
    for (let filled = 0; ; ) {
      const read = await within(reader.read(new Uint8Array(piece)), patienceMs);
      if (read === undefined) {
        isTrusted = false;
        reader.cancel().catch(() => {});
        return filled;
      }
      if (read.value !== undefined) {
        target.set(read.value, filled);
        filled += read.value.byteLength;
        piece = read.value.buffer as ArrayBuffer;
      }
      if (!read.done) continue;
      if (piece.byteLength === pieceBytes) memory = piece;
      return filled;
    }
  }

  return async (blob, skipBytes, target) => {
    const part = blob.slice(skipBytes, skipBytes + target.byteLength);
    try {
      const filled = await inTurn(() => readReusing(part, target));
      if (filled === target.byteLength) return;
      const rest = await readStream(part.slice(filled), target.subarray(filled));
      if (filled + rest === target.byteLength) return;
    } catch {
      // A stream that breaks off does not say why; reading at once does.
    }
    const bytes = await part.arrayBuffer();
    if (bytes.byteLength !== target.byteLength)
      throw new DOMException(`${bytes.byteLength} of ${target.byteLength} bytes are there`, "NotFoundError");
    target.set(new Uint8Array(bytes));
  };
}

/** The reader of this thread. */
export const readBlob: ReadBlob = createBlobReader();

/** Undefined where the engine's Blobs have no byte streams. */
function byobReader(blob: Blob): ReadableStreamBYOBReader | undefined {
  try {
    return blob.stream().getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

/** What the promise gives, or undefined after so long. */
async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  promise.catch(() => {}); // nobody may be waiting any more
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** @returns the bytes that came */
async function readStream(blob: Blob, target: Uint8Array): Promise<number> {
  const reader = blob.stream().getReader();
  for (let filled = 0; ; ) {
    const { value, done } = await reader.read();
    if (done) return filled;
    target.set(value, filled);
    filled += value.byteLength;
  }
}
