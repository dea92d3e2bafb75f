import { createHashHost } from "../weights/hashing/hash-host.ts";
import type { HashReply, HashRequest } from "../weights/hashing/protocol.ts";
import { type FakeWorkers, fakeWorkers, type WorkerFault } from "./fake-worker-ports.ts";

/** Hash workers in this thread. */
export const fakeHashWorkers = (fault?: WorkerFault): FakeWorkers<HashRequest, HashReply> =>
  fakeWorkers<HashRequest, HashReply>(createHashHost, fault);
