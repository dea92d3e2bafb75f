import type { ReadReply, ReadRequest } from "../weights/reading/protocol.ts";
import { createReadHost } from "../weights/reading/read-host.ts";
import { type FakeWorkers, fakeWorkers, type WorkerFault } from "./fake-worker-ports.ts";

/** Reading workers in this thread; folders and Blobs are theirs as they are, only memory changes hands. One that ends frees its files. */
export const fakeReadWorkers = (fault?: WorkerFault): FakeWorkers<ReadRequest, ReadReply> =>
  fakeWorkers<ReadRequest, ReadReply>((reply) => createReadHost(reply), fault, {
    send(request, transfer) {
      if (request.kind !== "read") return request;
      return { ...request, memory: structuredClone(request.memory, { transfer }) };
    },
    atEnd: (host) => host({ kind: "close" }),
  });
