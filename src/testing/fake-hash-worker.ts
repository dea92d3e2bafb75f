import { createHashHost } from "../weights/hashing/hash-host.ts";
import type { HashPort, HashReply, HashRequest } from "../weights/hashing/protocol.ts";

export interface FakeHashWorkers {
  /** Opens one more worker. */
  readonly open: () => HashPort;
  /** Requests by worker, in the order they came. */
  readonly requests: HashRequest["kind"][][];
  readonly numOpen: () => number;
  /** From now on workers take requests and answer none until `release`. */
  hold(): { release(): void };
}

/** What becomes of a worker's request number `at` (counted over all of them, from 0), and of all later ones. */
export interface HashFault {
  readonly kind: "dies" | "falls silent" | "refuses";
  readonly at: number;
}

/** Hash workers in this thread, with ports that lose memory as a real one's do. */
export function fakeHashWorkers(fault?: HashFault): FakeHashWorkers {
  const requests: HashRequest["kind"][][] = [];
  let numRequests = 0;
  let numOpen = 0;
  let held: Promise<void> = Promise.resolve();

  function open(): HashPort {
    const own: HashRequest["kind"][] = [];
    requests.push(own);
    numOpen += 1;
    let isOpen = true;
    let onReply: (reply: HashReply) => void = () => {};
    let onDeath: (reason: string) => void = () => {};
    const answer = (reply: HashReply) =>
      void held.then(() => setTimeout(() => isOpen && onReply(structuredClone(reply))));
    const host = createHashHost(answer);
    return {
      post(request, transfer) {
        const copy = structuredClone(request, { transfer: [...transfer] });
        own.push(request.kind);
        const isFaulty = fault !== undefined && numRequests >= fault.at;
        numRequests += 1;
        if (!isFaulty) host(copy);
        else if (fault.kind === "refuses") answer({ error: "out of memory" });
        else if (fault.kind === "dies") setTimeout(() => isOpen && onDeath("killed"));
      },
      onReply: (listener) => {
        onReply = listener;
      },
      onDeath: (listener) => {
        onDeath = listener;
      },
      close() {
        numOpen -= isOpen ? 1 : 0;
        isOpen = false;
      },
    };
  }

  return {
    open,
    requests,
    numOpen: () => numOpen,
    hold() {
      let release = () => {};
      held = new Promise((resolve) => {
        release = resolve;
      });
      return { release: () => release() };
    },
  };
}
