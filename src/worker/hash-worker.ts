// The script of a hash worker in browsers: SHA-256 of whole files, apart from the engine, which it would hold up.
import { createHashHost } from "../weights/hashing/hash-host.ts";
import type { HashRequest } from "../weights/hashing/protocol.ts";

const host = createHashHost((reply) => globalThis.postMessage(reply));
globalThis.addEventListener("message", ({ data }: MessageEvent<HashRequest>) => host(data));
