/** Memory that a reader's pieces pass through. As much as Chromium's pipes hold and more: smaller reads get lost more often. */
const pieceBytes = 4 * 1024 * 1024;
/** A read through memory that is used again which has no answer for so long is taken for lost. */
const defaultPatienceMs = 1000;
/** So is the Blob, where a plain read has none for so long: Chromium 156 gives none where the file was cleared in the midst of it. */
const defaultLastPatienceMs = 10_000;

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
export function createBlobReader(
  patienceMs = defaultPatienceMs,
  lastPatienceMs = defaultLastPatienceMs,
): ReadBlob {
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
      const rest = await readStream(part.slice(filled), target.subarray(filled), lastPatienceMs);
      if (filled + rest === target.byteLength) return;
    } catch (error) {
      if (error instanceof SilentBlob) throw error.asLost();
      // A stream that breaks off does not say why; reading at once does.
    }
    const bytes = await within(part.arrayBuffer(), lastPatienceMs);
    if (bytes === undefined) throw new SilentBlob().asLost();
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

/** A Blob that neither gives bytes nor says that it has none. */
class SilentBlob extends Error {
  asLost(): DOMException {
    return new DOMException("the bytes do not come", "NotFoundError");
  }
}

/** @returns the bytes that came @throws SilentBlob */
async function readStream(blob: Blob, target: Uint8Array, patienceMs: number): Promise<number> {
  const reader = blob.stream().getReader();
  for (let filled = 0; ; ) {
    const read = await within(reader.read(), patienceMs);
    if (read === undefined) {
      reader.cancel().catch(() => {});
      throw new SilentBlob();
    }
    if (read.done) return filled;
    target.set(read.value, filled);
    filled += read.value.byteLength;
  }
}
