import type { Pause } from "../weights/pause.ts";
import type { ByteProgress } from "../weights/types.ts";

/** What of a BroadcastChannel is used. */
export interface TabChannel {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

/** Progress and pauses of a model's download, between the tabs that want it. */
export interface SharedProgress {
  /** The tab that downloads: its pause is that of all, and obeys each of them. */
  lead(id: string, pause: Pause): Leader;
  /** A tab that waits: it is told what the leader reports, and its pause follows the leader's. Until the result is called. */
  follow(id: string, pause: Pause, onProgress: (progress: ByteProgress) => void): () => void;
  /** Asks the tab that works on this stored model to give it up. */
  askToYield(id: string): void;
  /** Told that another tab asks for the model, until the result is called. */
  onYield(id: string, listener: () => void): () => void;
}

export interface Leader {
  tell(progress: ByteProgress): void;
  stop(): void;
}

type Message =
  | { readonly type: "progress"; readonly id: string; readonly progress: ByteProgress }
  | { readonly type: "ask"; readonly id: string }
  /** To the leader: what a user asks for. */
  | { readonly type: "pause"; readonly id: string; readonly isPaused: boolean }
  /** From the leader: what is. */
  | { readonly type: "paused"; readonly id: string; readonly isPaused: boolean }
  | { readonly type: "yield"; readonly id: string };

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
    lead(id, pause) {
      let last: ByteProgress | undefined;
      const tellPaused = () => post({ type: "paused", id, isPaused: pause.isPaused });
      const stopListening = listen(id, (message) => {
        if (message.type === "ask" && last !== undefined) post({ type: "progress", id, progress: last });
        if (message.type === "pause") pause.set(message.isPaused);
        if (message.type === "ask" || message.type === "pause") tellPaused();
      });
      const unwatch = pause.watch((_, isOwn) => isOwn && tellPaused());
      tellPaused(); // to those that followed another leader
      return {
        tell(progress) {
          last = progress;
          post({ type: "progress", id, progress });
        },
        stop() {
          stopListening();
          unwatch();
        },
      };
    },
    follow(id, pause, onProgress) {
      const stopListening = listen(id, (message) => {
        if (message.type === "progress") onProgress(message.progress);
        if (message.type === "paused") pause.set(message.isPaused);
      });
      const tellPause = (isPaused: boolean) => post({ type: "pause", id, isPaused });
      const unwatch = pause.watch((isPaused, isOwn) => isOwn && tellPause(isPaused));
      if (pause.isPaused) tellPause(true); // before the leader was heard of
      post({ type: "ask", id });
      return () => {
        stopListening();
        unwatch();
      };
    },
    askToYield: (id) => post({ type: "yield", id }),
    onYield: (id, listener) => listen(id, ({ type }) => type === "yield" && listener()),
  };
}

/** Tabs may run different versions of this library: what this one does not know is nothing to it. */
function isMessage(data: unknown): data is Message {
  if (!isRecord(data) || typeof data.id !== "string") return false;
  switch (data.type) {
    case "ask":
    case "yield":
      return true;
    case "pause":
    case "paused":
      return typeof data.isPaused === "boolean";
    case "progress":
      return isProgress(data.progress);
    default:
      return false;
  }
}

function isProgress(data: unknown): boolean {
  if (!isRecord(data) || typeof data.phase !== "string" || typeof data.file !== "string") return false;
  return Number.isFinite(data.loadedBytes) && Number.isFinite(data.totalBytes);
}

function isRecord(data: unknown): data is Readonly<Record<string, unknown>> {
  return typeof data === "object" && data !== null;
}
