import type { IHasher } from "hash-wasm";
import type { HashReply, HashRequest } from "./protocol.ts";
import { createSha256, startFrom } from "./sha256.ts";

/** The work of a hash worker: takes requests, and answers each in its turn. */
export function createHashHost(reply: (reply: HashReply) => void): (request: HashRequest) => void {
  let work: Promise<void> = Promise.resolve();
  let created: Promise<IHasher> | undefined;

  async function answer(request: HashRequest): Promise<HashReply> {
    created ??= createSha256();
    const hasher = await created;
    switch (request.kind) {
      case "start":
        startFrom(hasher, request.state);
        return {};
      case "update":
        hasher.update(request.bytes);
        return { state: hasher.save() };
      case "digest":
        return { digest: hasher.digest("hex") };
      default:
        return request satisfies never;
    }
  }

  return (request) => {
    work = work
      .then(() => answer(request))
      .catch((error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }))
      .then(reply);
  };
}
