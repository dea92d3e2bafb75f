import type { ByteProgress } from "../weights/types.ts";

/** What of a BroadcastChannel is used. */
export interface TabChannel {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

/** Progress and pauses of a model's download, between the tabs that want it. */
export interface SharedProgress {
  /** The tab that downloads: tells the others, and is told of their pauses. */
  lead(id: string, onPause: (isPaused: boolean) => void): Leader;
  /** A tab that waits: is told what the leader reports. */
  follow(id: string, onProgress: (progress: ByteProgress) => void): Follower;
}

export interface Leader {
  tell(progress: ByteProgress): void;
  stop(): void;
}

export interface Follower {
  setPaused(isPaused: boolean): void;
  stop(): void;
}

type Message =
  | { readonly type: "progress"; readonly id: string; readonly progress: ByteProgress }
  | { readonly type: "ask"; readonly id: string }
  | { readonly type: "pause"; readonly id: string; readonly isPaused: boolean };

/** Over a channel that all tabs of the site share; without one, nobody is told anything. */
export function createSharedProgress(channel: TabChannel | undefined): SharedProgress {
  /** Messages of other tabs about `id`, until the result is called. */
  function listen(id: string, onMessage: (message: Message) => void): () => void {
    const listener = ({ data }: MessageEvent) => {
      if (isMessage(data) && data.id === id) onMessage(data);
    };
    channel?.addEventListener("message", listener);
    return () => channel?.removeEventListener("message", listener);
  }
  const post = (message: Message) => channel?.postMessage(message);

  return {
    lead(id, onPause) {
      let last: ByteProgress | undefined;
      const stop = listen(id, (message) => {
        if (message.type === "ask" && last !== undefined) post({ type: "progress", id, progress: last });
        if (message.type === "pause") onPause(message.isPaused);
      });
      return {
        tell(progress) {
          last = progress;
          post({ type: "progress", id, progress });
        },
        stop,
      };
    },
    follow(id, onProgress) {
      const stop = listen(id, (message) => {
        if (message.type === "progress") onProgress(message.progress);
      });
      post({ type: "ask", id });
      return { setPaused: (isPaused) => post({ type: "pause", id, isPaused }), stop };
    },
  };
}

/** Tabs may run different versions of this library. */
function isMessage(data: unknown): data is Message {
  return typeof data === "object" && data !== null && "type" in data && "id" in data;
}
