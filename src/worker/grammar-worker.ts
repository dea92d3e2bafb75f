// The script of the grammar worker in browsers: xgrammar, apart from the engine, since a crash leaves it broken.
import { createGrammarHost, loadXgrammar } from "../grammar/grammar-host.ts";
import type { GrammarCall } from "../grammar/protocol.ts";

const host = createGrammarHost(
  () => loadXgrammar(),
  (reply) => globalThis.postMessage(reply, { transfer: reply.mask === undefined ? [] : [reply.mask.buffer] }),
);
globalThis.addEventListener("message", ({ data }: MessageEvent<GrammarCall>) => host(data));
