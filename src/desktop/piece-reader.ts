import { throwIfAborted } from "../errors.ts";

/** Larger pieces leave the caches before they are copied, smaller ones cost this thread more calls (docs/decisions/0009 has figures). */
const defaultPieceBytes = 1024 * 1024;
/** Node reads files in 4 threads: as many pieces again wait for one or to be copied. */
const defaultNumPieces = 8;

/** An open file, as far as it is read here: a FileHandle. */
export interface ReadableFile {
  /** Reads up to `sizeBytes` at `position` into `memory`; `bytesRead` is 0 at the end of the file. */
  read(
    memory: Uint8Array,
    offsetBytes: number,
    sizeBytes: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
}

export interface FileRange {
  readonly file: ReadableFile;
  readonly startBytes: number;
  readonly endBytes: number;
  /** Makes the error for a file that ends before the range does. */
  readonly endsEarly: () => Promise<unknown>;
}

/**
 * Fills `target` from a range of a file, which is as long as `target` was (memory that was taken away has no length). Once
 * it has settled, nothing touches `target` any more.
 * @throws aborted; TypeError where the memory of `target` was taken away; what `file.read` throws and `endsEarly` gives
 */
export type ReadPieces = (range: FileRange, target: Uint8Array, signal?: AbortSignal) => Promise<void>;

interface Task extends FileRange {
  readonly target: Uint8Array;
  readonly sizeBytes: number;
  readonly signal: AbortSignal | undefined;
  readonly settle: () => void;
  /** Bytes whose reading was begun, or is not to be any more. */
  begunBytes: number;
  numUnderWay: number;
  failure: { readonly error: unknown } | undefined;
}

/**
 * Makes a reader for several calls at once. All reads go into `numPieces` pieces of memory that are used again and again:
 * no memory is made, cleared and collected for each. From there this thread copies them, while the next ones are read.
 * The threads that read never see `target`, so it may be a mapped buffer that goes away at any moment. Calls are served one
 * after the other, so that the first has its bytes early and goes on while the second's are read.
 */
export function createPieceReader({
  pieceBytes = defaultPieceBytes,
  numPieces = defaultNumPieces,
} = {}): ReadPieces {
  const free: Uint8Array[] = [];
  const queue: Task[] = [];
  let numMade = 0;

  function takeMemory(): Uint8Array | undefined {
    const memory = free.pop();
    if (memory !== undefined || numMade === numPieces) return memory;
    numMade += 1;
    return new Uint8Array(pieceBytes);
  }

  /** Begins as many reads as there is memory for. */
  function pump(): void {
    for (let task = queue[0]; task !== undefined; task = queue[0]) {
      if (task.begunBytes === task.sizeBytes) {
        queue.shift();
        continue;
      }
      const memory = takeMemory();
      if (memory === undefined) return;
      void readPiece(task, memory);
    }
  }

  async function readPiece(task: Task, memory: Uint8Array): Promise<void> {
    const at = task.begunBytes;
    const sizeBytes = Math.min(pieceBytes, task.sizeBytes - at);
    task.begunBytes += sizeBytes;
    task.numUnderWay += 1;
    try {
      throwIfAborted(task.signal);
      await fill(memory.subarray(0, sizeBytes), task, at);
      throwIfAborted(task.signal);
      if (task.failure === undefined) task.target.set(memory.subarray(0, sizeBytes), at);
    } catch (error) {
      task.failure ??= { error };
      task.begunBytes = task.sizeBytes;
    }
    task.numUnderWay -= 1;
    free.push(memory);
    if (task.numUnderWay === 0 && task.begunBytes === task.sizeBytes) task.settle();
    pump();
  }

  return async (range, target, signal) => {
    throwIfAborted(signal);
    const sizeBytes = range.endBytes - range.startBytes;
    if (sizeBytes === 0) return;
    const { failure } = await new Promise<Task>((resolve) => {
      const task: Task = {
        ...range,
        target,
        sizeBytes,
        signal,
        settle: () => resolve(task),
        begunBytes: 0,
        numUnderWay: 0,
        failure: undefined,
      };
      queue.push(task);
      pump();
    });
    if (failure !== undefined) throw failure.error;
  };
}

async function fill(
  memory: Uint8Array,
  { file, startBytes, endsEarly }: FileRange,
  at: number,
): Promise<void> {
  for (let filled = 0; filled < memory.byteLength; ) {
    const position = startBytes + at + filled;
    const { bytesRead } = await file.read(memory, filled, memory.byteLength - filled, position);
    if (bytesRead === 0) throw await endsEarly();
    filled += bytesRead;
  }
}
