import { EngineError, throwIfAborted } from "../errors.ts";

/** Longest text file accepted; tokenizer.json of gpt-oss has 28 MB. */
const maxTextBytes = 128 * 1024 * 1024;

/** Exactly the bytes [startBytes, endBytes) of a picked file; nothing else of it is read. @throws checkpoint-invalid | aborted */
export async function readPicked(
  name: string,
  file: File,
  { startBytes, endBytes }: { readonly startBytes: number; readonly endBytes: number },
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  throwIfAborted(signal);
  if (startBytes < 0 || startBytes > endBytes || endBytes > file.size) {
    throw unreadable(name, `has ${file.size} bytes, so [${startBytes}, ${endBytes}) cannot be read`);
  }
  let bytes: ArrayBuffer;
  try {
    bytes = await file.slice(startBytes, endBytes).arrayBuffer();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw unreadable(
      name,
      `cannot be read any more (${reason}): it was changed, moved or removed since`,
      cause,
    );
  }
  throwIfAborted(signal);
  if (bytes.byteLength === endBytes - startBytes) return new Uint8Array(bytes);
  throw unreadable(
    name,
    `gave ${bytes.byteLength} bytes instead of ${endBytes - startBytes}: it was changed since`,
  );
}

/** A whole small file as text. @throws checkpoint-invalid | aborted */
export async function readPickedText(name: string, file: File, signal?: AbortSignal): Promise<string> {
  if (file.size > maxTextBytes) throw unreadable(name, `has ${file.size} bytes, more than ${maxTextBytes}`);
  const bytes = await readPicked(name, file, { startBytes: 0, endBytes: file.size }, signal);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw unreadable(name, "is not UTF-8 text", cause);
  }
}

function unreadable(name: string, what: string, cause?: unknown): EngineError {
  return new EngineError("checkpoint-invalid", `The picked file ${name} ${what}. Pick the folder again.`, {
    details: { file: name },
    cause,
  });
}
