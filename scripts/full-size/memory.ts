import type { CDPSession, Page } from "playwright-core";
import { browserProcesses, proportionalBytes } from "./processes.ts";

/** Peaks of one phase, in MiB. */
export interface PhasePeaks {
  /** Resident memory by kind of process, the largest of each kind. */
  readonly rssMiB: Readonly<Record<string, number>>;
  /** All processes together but the GPU's, with pages that several share counted once. */
  readonly totalWithoutGpuMiB: number;
  /** The largest JS heap of a worker: objects, and array buffers. Absent where DevTools does not tell. */
  readonly workerHeapMiB?: number;
  readonly workerArrayBuffersMiB?: number;
}

/** Watches a browser's memory, phase by phase. */
export interface MemoryWatch {
  phase(name: string): void;
  /** The page whose workers are asked for their heaps. */
  watchPage(page: Page): Promise<void>;
  stop(): Record<string, PhasePeaks>;
}

const mib = 1024 * 1024;
const everyMs = 250;

interface Peaks {
  rss: Map<string, number>;
  withoutGpu: number;
  heap: number;
  arrayBuffers: number;
}

export function watchMemory(profile: string): MemoryWatch {
  const phases = new Map<string, Peaks>();
  let current = "start";
  let heaps: (() => Promise<readonly HeapUsage[]>) | undefined;
  const peaks = (): Peaks => {
    const known = phases.get(current);
    if (known !== undefined) return known;
    const fresh = { rss: new Map(), withoutGpu: 0, heap: 0, arrayBuffers: 0 };
    phases.set(current, fresh);
    return fresh;
  };
  const sample = async () => {
    const now = peaks();
    const family = browserProcesses(profile);
    for (const { kind, rssBytes } of family) now.rss.set(kind, Math.max(now.rss.get(kind) ?? 0, rssBytes));
    const others = family.filter(({ kind }) => kind !== "gpu-process");
    now.withoutGpu = Math.max(
      now.withoutGpu,
      others.reduce((sum, { pid }) => sum + proportionalBytes(pid), 0),
    );
    for (const usage of (await heaps?.().catch(() => [])) ?? []) {
      now.heap = Math.max(now.heap, usage.usedSize);
      now.arrayBuffers = Math.max(now.arrayBuffers, usage.backingStorageSize ?? 0);
    }
  };
  const timer = setInterval(() => void sample(), everyMs);
  const inMiB = (bytes: number) => Math.round(bytes / mib);
  return {
    phase(name) {
      current = name;
      void sample();
    },
    async watchPage(page) {
      heaps = await workerHeaps(page);
    },
    stop() {
      clearInterval(timer);
      return Object.fromEntries(
        [...phases].map(([name, { rss, withoutGpu, heap, arrayBuffers }]) => [
          name,
          {
            rssMiB: Object.fromEntries([...rss].map(([kind, bytes]) => [kind, inMiB(bytes)])),
            totalWithoutGpuMiB: inMiB(withoutGpu),
            ...(heap > 0 && { workerHeapMiB: inMiB(heap), workerArrayBuffersMiB: inMiB(arrayBuffers) }),
          },
        ]),
      );
    },
  };
}

interface HeapUsage {
  readonly usedSize: number;
  readonly backingStorageSize?: number;
}

/** Asks each worker of a page for its heap, through DevTools' older way to speak to a target inside another's session. */
async function workerHeaps(page: Page): Promise<() => Promise<HeapUsage[]>> {
  const session: CDPSession = await page.context().newCDPSession(page);
  const workers = new Set<string>();
  const waiting = new Map<number, (usage: HeapUsage) => void>();
  let nextId = 1;
  session.on("Target.attachedToTarget", ({ sessionId }) => workers.add(sessionId));
  session.on("Target.detachedFromTarget", ({ sessionId }) => workers.delete(sessionId));
  session.on("Target.receivedMessageFromTarget", ({ message }) => {
    const { id, result } = JSON.parse(message) as { id?: number; result?: HeapUsage };
    if (id === undefined) return;
    if (result !== undefined) waiting.get(id)?.(result);
    waiting.delete(id);
  });
  await session.send("Target.setAutoAttach", {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false,
  });
  const ask = (sessionId: string) => {
    const id = nextId++;
    const answer = new Promise<HeapUsage>((resolve, reject) => {
      waiting.set(id, resolve);
      setTimeout(() => reject(new Error("a busy worker")), 5000).unref();
    });
    answer.catch(() => {});
    const message = JSON.stringify({ id, method: "Runtime.getHeapUsage" });
    return session.send("Target.sendMessageToTarget", { sessionId, message }).then(() => answer);
  };
  return async () => {
    const answers = await Promise.allSettled([...workers].map(ask));
    return answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  };
}
