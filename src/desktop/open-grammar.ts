import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import type { GrammarPort } from "../grammar/protocol.ts";
import { openLocalGrammar } from "./grammar-local.ts";

/** Beside the built programs. */
const builtThread = new URL("./grammar-thread.mjs", import.meta.url);

/** Opens a grammar worker: a thread of its own in the built programs, this thread where they run from source. */
export const openGrammar = (): GrammarPort =>
  existsSync(builtThread) ? openGrammarThread(builtThread) : openLocalGrammar();

/** Opens a thread that runs `script`, which is grammar-thread.ts built. It keeps no program alive. */
export function openGrammarThread(script: URL): GrammarPort {
  // What xgrammar prints of a crash is in the error, too.
  const thread = new Worker(script, { stdout: true, stderr: true });
  thread.unref();
  return {
    post: (call) => thread.postMessage(call),
    onReply: (listener) => void thread.on("message", listener),
    onDeath(listener) {
      thread.on("error", (error) => listener(error.message));
      thread.on("exit", (code) => listener(`its thread ended with code ${code}`));
    },
    close: () => void thread.terminate(),
  };
}
