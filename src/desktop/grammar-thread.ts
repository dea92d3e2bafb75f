// The script of the grammar worker in Node. It is a file of its own in the build: see scripts/vite/node.config.mjs.
import { parentPort } from "node:worker_threads";
import { createGrammarHost, loadXgrammar } from "../grammar/grammar-host.ts";
import type { GrammarCall } from "../grammar/protocol.ts";

// xgrammar's script asks for its own address in ways that Node's modules do not have, unless there is a location.
Object.assign(globalThis, { location: { href: import.meta.url } });

const host = createGrammarHost(
  () => loadXgrammar(),
  (reply) => parentPort?.postMessage(reply),
);
parentPort?.on("message", (call: GrammarCall) => host(call));
