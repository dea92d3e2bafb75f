// The script of a reading worker in browsers: reads and hashes stored chunks, apart from the engine, which it would hold up.

import type { ReadRequest } from "../weights/reading/protocol.ts";
import { createReadHost } from "../weights/reading/read-host.ts";

const host = createReadHost((reply, transfer) => globalThis.postMessage(reply, { transfer: [...transfer] }));
globalThis.addEventListener("message", ({ data }: MessageEvent<ReadRequest>) => host(data));
