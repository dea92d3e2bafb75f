// Runs the contract of the chunk stores on this browser's own storage, in a worker, and posts what failed.
import { storeContract } from "../../src/testing/store-contract.ts";
import { createIndexedDbStore } from "../../src/weights/indexeddb-store.ts";
import { createOpfsStore } from "../../src/weights/opfs/opfs-store.ts";
import { openReadPort } from "../../src/worker/open-read-port.ts";

const openRoot = (name: string) => async () =>
  (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
let numReaders = 0;
const readers = {
  openPort: () => {
    numReaders += 1;
    return openReadPort();
  },
  numWorkers: 2,
  leastBytes: 0,
};
const openers = {
  indexeddb: (name: string) => createIndexedDbStore(name),
  opfs: (name: string) => createOpfsStore(openRoot(name)),
  "indexeddb with reading workers": (name: string) => createIndexedDbStore(name, { readers }),
  "opfs with reading workers": (name: string) => createOpfsStore(openRoot(name), { readers }),
};

const results: { readonly name: string; readonly error: string | undefined }[] = [];
for (const [kind, open] of Object.entries(openers)) {
  for (const [i, { name, run }] of storeContract.entries()) {
    const place = `contract-${kind.replaceAll(" ", "-")}-${i}`;
    const error = await run(open(place), () => open(place)).then(
      () => undefined,
      (reason: unknown) => String(reason),
    );
    results.push({ name: `${kind} ${name}`, error });
  }
}
globalThis.postMessage({ results, numReaders });
