/**
 * Fills `target` with a Blob's bytes from `skipBytes` on. Through the stream, whose pieces are small: in Chromium 156
 * that is as fast as any other way that is safe, leaves nothing large on the heap, and several reads at once do not slow
 * each other down (docs/decisions/0010 has the figures).
 * @throws DOMException where the Blob's file is lost, also in part
 */
export async function readBlob(blob: Blob, skipBytes: number, target: Uint8Array): Promise<void> {
  const part = blob.slice(skipBytes, skipBytes + target.byteLength);
  try {
    if ((await readStream(part, target)) === target.byteLength) return;
  } catch {
    // A stream that breaks off does not say why; reading at once does.
  }
  const bytes = await part.arrayBuffer();
  if (bytes.byteLength !== target.byteLength)
    throw new DOMException(`${bytes.byteLength} of ${target.byteLength} bytes are there`, "NotFoundError");
  target.set(new Uint8Array(bytes));
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
