import type { WorkerPort } from "../weights/worker-line.ts";

export interface FakeWorkers<Request extends { readonly kind: string }, Reply> {
  /** Opens one more worker. */
  readonly open: () => WorkerPort<Request, Reply>;
  /** Requests by worker, in the order they came. */
  readonly requests: Request["kind"][][];
  readonly numOpen: () => number;
  /** From now on workers take requests and answer none until `release`. */
  hold(): { release(): void };
}

/** What becomes of a worker's request number `at` (counted over all of them, from 0), and of all later ones. */
export interface WorkerFault {
  readonly kind: "dies" | "falls silent" | "refuses";
  readonly at: number;
}

/** What a worker's script makes of its two ends: how to reply, and what takes requests. */
type CreateHost<Request, Reply> = (
  reply: (reply: Reply, transfer?: readonly ArrayBuffer[]) => void,
) => (request: Request) => void;

export interface FakeWorkerOptions<Request> {
  /** Copies what is posted; default structuredClone. */
  readonly send?: (request: Request, transfer: ArrayBuffer[]) => Request;
  /** What the browser does with a worker's belongings, a moment after its end. */
  readonly atEnd?: (host: (request: Request) => void) => void;
}

/** Workers in this thread, with ports that lose memory as a real one's do. */
export function fakeWorkers<
  Request extends { readonly kind: string },
  Reply extends { readonly error?: string },
>(
  createHost: CreateHost<Request, Reply>,
  fault?: WorkerFault,
  {
    send = (request, transfer) => structuredClone(request, { transfer }),
    atEnd = () => {},
  }: FakeWorkerOptions<Request> = {},
): FakeWorkers<Request, Reply> {
  const requests: Request["kind"][][] = [];
  let numRequests = 0;
  let numOpen = 0;
  let held: Promise<void> = Promise.resolve();

  function open(): WorkerPort<Request, Reply> {
    const own: Request["kind"][] = [];
    requests.push(own);
    numOpen += 1;
    let isOpen = true;
    let onReply: (reply: Reply) => void = () => {};
    let onDeath: (reason: string) => void = () => {};
    const answer = (reply: Reply, transfer: readonly ArrayBuffer[] = []) =>
      void held.then(() =>
        setTimeout(() => isOpen && onReply(structuredClone(reply, { transfer: [...transfer] }))),
      );
    const host = createHost(answer);
    return {
      post(request, transfer = []) {
        const copy = send(request, [...transfer]);
        own.push(request.kind);
        const isFaulty = fault !== undefined && numRequests >= fault.at;
        numRequests += 1;
        if (!isFaulty) host(copy);
        else if (fault.kind === "refuses") answer({ error: "out of memory" } as Reply);
        else if (fault.kind === "dies") setTimeout(() => isOpen && onDeath("killed"));
      },
      onReply: (listener) => {
        onReply = listener;
      },
      onDeath: (listener) => {
        onDeath = listener;
      },
      close() {
        if (!isOpen) return;
        numOpen -= 1;
        isOpen = false;
        setTimeout(() => atEnd(host), 10);
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
