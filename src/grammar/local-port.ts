import { createGrammarHost, type Xgrammar } from "./grammar-host.ts";
import type { GrammarPort, GrammarReply } from "./protocol.ts";

/** A port to a host in this very thread: for Node without threads, and for tests. `load` gives a fresh copy of xgrammar. */
export function openLocalPort(load: () => Promise<Xgrammar>): GrammarPort {
  let listener: (reply: GrammarReply) => void = () => {};
  let loaded: Promise<Xgrammar> | undefined;
  const host = createGrammarHost(
    () => {
      loaded ??= load();
      return loaded;
    },
    (reply) => listener(reply),
  );
  return {
    post: host,
    onReply: (onReply) => {
      listener = onReply;
    },
    onDeath: () => {},
    close: () => {
      listener = () => {};
    },
  };
}
