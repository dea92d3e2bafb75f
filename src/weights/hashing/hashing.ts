import { EngineError } from "../../errors.ts";
import { WorkerLost } from "../worker-line.ts";
import { createHashClient, type HashClient } from "./hash-client.ts";
import type { OpenHashPort } from "./protocol.ts";
import { openLocalSha256, type Sha256Stream } from "./sha256.ts";

/** What the files of one download are hashed with: workers that are opened when needed, and room for chunks that wait. */
export interface Hashing {
  /**
   * Hashes one more file, from a saved state on: in a worker, or on this thread where there is none or one was lost.
   * @throws storage-failed | aborted
   */
  open(state: Uint8Array | undefined): Promise<Sha256Stream>;
  readonly room: HashRoom;
  readonly isClosed: boolean;
  /** Ends the workers; what is pending is `aborted`. */
  close(): void;
}

/** Chunks in memory that wait to be hashed, counted over all files of a download. */
export interface HashRoom {
  isFull(): boolean;
  take(): void;
  give(): void;
  /** Resolves once there are no more chunks than may wait. @throws aborted */
  notOverfull(): Promise<void>;
}

export interface HashingOptions {
  /** Absent: hashes on this thread. */
  readonly openPort?: OpenHashPort | undefined;
  /** Chunks that may wait in memory. */
  readonly maxWaiting: number;
  /** Longest that a worker may take to answer, in ms. */
  readonly waitMs?: number;
}

export function createHashing({ openPort, maxWaiting, waitMs }: HashingOptions): Hashing {
  const clients = new Set<HashClient>();
  const idle: HashClient[] = [];
  let isWorkerLost = false;
  let isClosed = false;
  const { shut, ...room } = createRoom(maxWaiting);
  const checkOpen = () => {
    if (isClosed) throw aborted();
  };

  /** @throws WorkerLost, and what `openPort` throws */
  async function startWorker(open: OpenHashPort, state: Uint8Array | undefined): Promise<Sha256Stream> {
    const client = idle.pop() ?? createHashClient(open(), waitMs);
    clients.add(client);
    await client.start(state);
    return {
      update: (bytes) => client.update(bytes).catch(noteLost),
      async digest() {
        const digest = await client.digest().catch(noteLost);
        idle.push(client);
        return digest;
      },
    };
  }

  /** A page that ends one worker or refuses it would do so with the next: none is tried again. */
  function noteLost(error: unknown): never {
    isWorkerLost ||= error instanceof WorkerLost;
    throw error;
  }

  return {
    async open(state) {
      checkOpen();
      if (openPort !== undefined && !isWorkerLost) {
        try {
          return await startWorker(openPort, state);
        } catch {
          checkOpen();
          isWorkerLost = true;
        }
      }
      return openLocalSha256(state);
    },
    room,
    get isClosed() {
      return isClosed;
    },
    close() {
      isClosed = true;
      shut();
      for (const client of clients) client.close();
    },
  };
}

const aborted = () => new EngineError("aborted", "Hashing was aborted.");

function createRoom(maxWaiting: number): HashRoom & { shut(): void } {
  const waiters: { resolve(): void; reject(error: Error): void }[] = [];
  let count = 0;
  let isShut = false;
  return {
    isFull: () => count >= maxWaiting,
    take() {
      count += 1;
    },
    give() {
      count -= 1;
      if (count > maxWaiting) return;
      for (const { resolve } of waiters.splice(0)) resolve();
    },
    async notOverfull() {
      if (isShut) throw aborted();
      if (count > maxWaiting) await new Promise<void>((resolve, reject) => waiters.push({ resolve, reject }));
    },
    shut() {
      isShut = true;
      for (const { reject } of waiters.splice(0)) reject(aborted());
    },
  };
}
