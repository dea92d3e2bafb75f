import { EngineError } from "../../errors.ts";
import { createWorkerLine, type WorkerLine } from "../worker-line.ts";
import type { FilePart, OpenReadPort, ReadReply, ReadRequest } from "./protocol.ts";

/** Fewer bytes are read sooner here than a worker is asked. */
const defaultLeastBytes = 1024 * 1024;
/** A worker reads and hashes 32 MiB, the largest chunk, in less than a second; its script has to come over the network first. */
const patienceMs = 30_000;
/** A worker that has nothing more to read lets go of its files at once. */
const closeWaitMs = 1000;

export interface ReadersOptions {
  readonly openPort: OpenReadPort;
  /** Workers at once. */
  readonly numWorkers: number;
  /** What is smaller is not for workers. */
  readonly leastBytes?: number;
  readonly waitMs?: number;
}

/** What a worker found: the SHA-256 in hex, where it was asked for. */
export interface ReadByWorker {
  readonly digest: string | undefined;
}

type Worker = WorkerLine<ReadRequest, ReadReply>;

/** Workers that read beside this thread, each with handles and hashing of its own. They only make it faster. */
export interface Readers {
  /**
   * Fills `target`, and takes its SHA-256 where asked. Undefined, with nothing known of `target`, where no worker could:
   * whoever asked reads by itself then, and finds what is wrong.
   */
  read(from: FilePart | Blob, target: Uint8Array, wantsDigest: boolean): Promise<ReadByWorker | undefined>;
  /** Makes every worker let go of a file, which someone is about to change. */
  closeFile(name: string): Promise<void>;
  /** Ends the workers, once they have let go of their files. Those of a folder are started no more. */
  close(): Promise<void>;
}

/** Workers are started by the first read that is worth it. Once one is lost, none is asked any more until `close`. */
export function createReaders(
  { openPort, numWorkers, leastBytes = defaultLeastBytes, waitMs = patienceMs }: ReadersOptions,
  folder?: FileSystemDirectoryHandle,
): Readers {
  let workers: Worker[] = [];
  let spare: ArrayBuffer[] = [];
  let isLost = false;
  let isShut = false;

  /** The worker with the least to do; one more where all have something. */
  function leastBusy(): Worker {
    const [first] = [...workers].sort((a, b) => a.numPending - b.numPending);
    if (first !== undefined && (first.numPending === 0 || workers.length === numWorkers)) return first;
    const worker = createWorkerLine(openPort(), { name: "reading worker", waitMs });
    workers.push(worker);
    if (folder !== undefined) worker.ask({ kind: "folder", folder }).catch(noteLost);
    return worker;
  }

  /** Ends them all: what is wrong with one would be so with the next. But for those that `close` ended. */
  function noteLost(error: unknown): undefined {
    if (error instanceof EngineError) return;
    isLost = true;
    end(workers);
  }

  function end(ended: readonly Worker[]): void {
    for (const worker of ended) worker.close(new EngineError("aborted", "The reading workers were closed."));
    workers = workers.filter((worker) => !ended.includes(worker));
    spare = [];
  }

  async function ask(from: FilePart | Blob, sizeBytes: number, wantsDigest: boolean): Promise<ReadReply> {
    const worker = leastBusy();
    const used = spare.pop();
    const memory = used !== undefined && used.byteLength >= sizeBytes ? used : new ArrayBuffer(sizeBytes);
    return worker.ask({ kind: "read", from, sizeBytes, memory, wantsDigest }, [memory]);
  }

  return {
    async read(from, target, wantsDigest) {
      const sizeBytes = target.byteLength;
      if (isLost || isShut || sizeBytes < leastBytes) return undefined;
      const reply = await ask(from, sizeBytes, wantsDigest).catch(noteLost);
      if (reply?.memory === undefined) return undefined;
      const { memory, isWhole, digest } = reply;
      try {
        if (isWhole) target.set(new Uint8Array(memory, 0, sizeBytes));
      } finally {
        if (workers.length > 0) spare.push(memory);
      }
      return isWhole ? { digest } : undefined;
    },
    async closeFile(name) {
      await Promise.all(workers.map((worker) => worker.ask({ kind: "close", name }))).catch(noteLost);
    },
    async close() {
      const ended = workers;
      workers = [];
      isShut = folder !== undefined;
      const letGo = Promise.all(ended.map((worker) => worker.ask({ kind: "close" })));
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, closeWaitMs);
      });
      await Promise.race([letGo.catch(noteLost), late]);
      clearTimeout(timer);
      end(ended);
      isLost = false;
    },
  };
}
