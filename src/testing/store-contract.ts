import type { ChunkRef, ChunkStore, StoredModel } from "../weights/chunk-store.ts";

/** One promise of a ChunkStore, checked on two connections to the same empty storage. */
export interface StoreCase {
  readonly name: string;
  run(store: ChunkStore, reopen: () => ChunkStore): Promise<void>;
}

const chunkBytes = 4;
const bytes = (...values: number[]) => new Uint8Array(values);
const ref = (index: number, file = "a.safetensors", id = "m"): ChunkRef => ({
  id,
  file,
  index,
  startBytes: index * chunkBytes,
});

export function contractModel(id: string, more: Partial<StoredModel> = {}): StoredModel {
  const files = [
    { name: "a.safetensors", sizeBytes: 10, etag: null },
    { name: "a.safetensors2", sizeBytes: 4, etag: '"x"' },
  ];
  return { version: 1, id, chunkBytes, files, texts: ["config.json"], ready: false, ...more };
}

/** What both stores promise: run by vitest on fakes, and in a worker of a real browser. */
export const storeContract: readonly StoreCase[] = [
  {
    name: "gives back what was stored, also through a second connection",
    async run(store, reopen) {
      const model = contractModel("m", { source: { baseUrl: "x", list: [1] } });
      await store.putModel(model);
      await store.putText("m", "config.json", '{"ä":"\\n"}');
      await store.putChunk(ref(1), bytes(1, 2, 3, 4), "abc");
      await store.putHash("m", "a.safetensors", { numChunks: 2, state: bytes(0, 255, 7) });
      await store.release("m");
      const second = reopen();
      equal(await second.getModel("m"), model);
      equal(await second.getText("m", "config.json"), '{"ä":"\\n"}');
      equal(await second.getChunk(ref(1)), { bytes: bytes(1, 2, 3, 4), digest: "abc" });
      equal(await second.getHash("m", "a.safetensors"), { numChunks: 2, state: bytes(0, 255, 7) });
      equal(await second.listChunks("m", "a.safetensors"), new Map([[1, "abc"]]));
      await second.release("m");
    },
  },
  {
    name: "stores only the view of a larger buffer",
    async run(store) {
      await store.putChunk(ref(0), bytes(0, 1, 2, 3).subarray(1, 3), "d");
      equal((await store.getChunk(ref(0))).bytes, bytes(1, 2));
    },
  },
  {
    name: "answers undefined for what is not there",
    async run(store) {
      equal(await store.getModel("m"), undefined);
      equal(await store.listModels(), []);
      equal(await store.getText("m", "config.json"), undefined);
      equal(await store.getHash("m", "a.safetensors"), undefined);
      equal(await store.getChunk(ref(0)), { bytes: undefined, digest: undefined });
      equal(await store.listChunks("m", "a.safetensors"), new Map());
      equal(await store.readInto(ref(0), 0, bytes(0)), false);
      await store.deleteModel("m");
      await store.release("m");
    },
  },
  {
    name: "reads parts of a chunk in place, and says where it is too short",
    async run(store) {
      await store.putChunk(ref(1), bytes(1, 2, 3, 4), "d");
      await store.putChunk(ref(0), bytes(5, 6, 7, 8), "e");
      const target = bytes(9, 9, 9, 9);
      equal(await store.readInto(ref(1), 1, target.subarray(1, 3)), true);
      equal(target, bytes(9, 2, 3, 9));
      equal(await store.readInto(ref(1), 2, bytes(0, 0, 0)), false);
      equal(await store.readInto(ref(2), 0, bytes(0)), false);
      await store.release("m");
      equal(await store.readInto(ref(0), 0, target), true);
      equal(target, bytes(5, 6, 7, 8));
      await store.release("m");
    },
  },
  {
    name: "reads a chunk with the digest of what is there, not of what was said",
    async run(store) {
      const sha256 = "9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a"; // printf '\1\2\3\4' | sha256sum
      await store.putChunk(ref(1), bytes(1, 2, 3, 4), "said");
      const target = bytes(0, 0, 0, 0, 0, 0);
      for (const isFresh of [false, true]) {
        if (isFresh) await store.release("m");
        equal(await store.readWithDigest(ref(1), target.fill(0).subarray(1, 5)), sha256);
        equal(target, bytes(0, 1, 2, 3, 4, 0));
      }
      equal(await store.readWithDigest(ref(1), bytes(0, 0, 0, 0, 0)), undefined);
      equal(await store.readWithDigest(ref(0), bytes(0, 0, 0, 0)), undefined);
      await store.putChunk(ref(1), bytes(4, 3, 2, 1), "said");
      await store.readInto(ref(1), 0, target.subarray(1, 5));
      equal(target, bytes(0, 4, 3, 2, 1, 0));
      await store.release("m");
    },
  },
  {
    name: "replaces records, texts, chunks and hashes",
    async run(store) {
      for (const ready of [false, true]) await store.putModel(contractModel("m", { ready }));
      for (const text of ["a longer one", "short"]) await store.putText("m", "config.json", text);
      await store.putChunk(ref(0), bytes(1, 2, 3, 4), "d");
      await store.putChunk(ref(0), bytes(4, 3, 2, 1), "e");
      for (const numChunks of [1, 2])
        await store.putHash("m", "a.safetensors", { numChunks, state: bytes(numChunks) });
      equal(
        (await store.listModels()).map(({ ready }) => ready),
        [true],
      );
      equal(await store.getText("m", "config.json"), "short");
      equal(await store.getChunk(ref(0)), { bytes: bytes(4, 3, 2, 1), digest: "e" });
      equal(await store.getHash("m", "a.safetensors"), { numChunks: 2, state: bytes(2) });
    },
  },
  {
    name: "keeps models and files apart whose names begin alike",
    async run(store) {
      for (const id of ["m", "m2"]) {
        await store.putModel(contractModel(id));
        for (const file of ["a.safetensors", "a.safetensors2"]) {
          for (const index of [10, 9, 0])
            await store.putChunk(ref(index, file, id), bytes(index), `d${index}`);
          await store.putHash(id, file, { numChunks: 1, state: bytes(1) });
        }
      }
      const all = new Map([0, 9, 10].map((index) => [index, `d${index}`]));
      equal([...(await store.listChunks("m", "a.safetensors"))], [...all]);
      await store.deleteFile("m", "a.safetensors");
      equal(await store.listChunks("m", "a.safetensors"), new Map());
      equal(await store.getHash("m", "a.safetensors"), undefined);
      equal((await store.getChunk(ref(9))).bytes, undefined);
      equal(await store.listChunks("m", "a.safetensors2"), all);
      equal((await store.getHash("m", "a.safetensors2"))?.numChunks, 1);
      await store.deleteModel("m");
      equal(
        (await store.listModels()).map(({ id }) => id),
        ["m2"],
      );
      equal(await store.listChunks("m", "a.safetensors2"), new Map());
      equal(await store.listChunks("m2", "a.safetensors"), all);
      await store.deleteModel("m2");
      await store.release("m");
      await store.release("m2");
    },
  },
  {
    name: "takes ids and names that are addresses, and begins anew after a deletion",
    async run(store, reopen) {
      const id = "https://example.com/a b/ü/?x=1#2";
      const file = "original/model-00001-of-00002.safetensors";
      await store.putModel(contractModel(id));
      await store.putText(id, "original/config.json", "{}");
      await store.putChunk(ref(0, file, id), bytes(1), "d");
      await store.deleteModel(id);
      equal(await store.getModel(id), undefined);
      await store.putModel(contractModel(id));
      await store.putChunk(ref(1, file, id), bytes(2, 2), "e");
      await store.release(id);
      const second = reopen();
      equal(await second.listChunks(id, file), new Map([[1, "e"]]));
      equal(await second.getText(id, "original/config.json"), undefined);
      await second.release(id);
    },
  },
  {
    name: "shows one connection what another one wrote, once it asks for the model again",
    async run(store, reopen) {
      const second = reopen();
      equal(await second.getModel("m"), undefined);
      await store.putModel(contractModel("m"));
      equal((await second.getModel("m"))?.ready, false);
      await store.putChunk(ref(0), bytes(1, 2, 3, 4), "d");
      await store.putModel(contractModel("m", { ready: true }));
      equal(await second.listChunks("m", "a.safetensors"), new Map([[0, "d"]]));
      await store.putChunk(ref(1), bytes(5, 6, 7, 8), "e");
      equal(
        (await second.listModels()).map(({ ready }) => ready),
        [true],
      );
      equal((await second.listChunks("m", "a.safetensors")).get(1), "e");
      equal((await second.getModel("m"))?.ready, true);
      await store.release("m");
      equal((await second.getChunk(ref(0))).bytes, bytes(1, 2, 3, 4));
      await second.release("m");
    },
  },
  {
    name: "works many chunks at once",
    async run(store) {
      const indexes = Array.from({ length: 40 }, (_, index) => index);
      await Promise.all(
        indexes.map((index) => store.putChunk(ref(index), bytes(index, 1, 2, 3), `d${index}`)),
      );
      const found = await Promise.all(indexes.map((index) => store.getChunk(ref(index))));
      equal(
        found.map((chunk) => [chunk.bytes?.[0], chunk.digest]),
        indexes.map((index) => [index, `d${index}`]),
      );
    },
  },
];

function equal(got: unknown, expected: unknown): void {
  if (text(got) === text(expected)) return;
  throw new Error(`expected ${text(expected)}, got ${text(got)}`);
}

/** Values as text, with typed arrays and maps told apart; runs in browsers, where Node's assert does not. */
function text(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (item === undefined) return "(undefined)";
    if (item instanceof Uint8Array) return `bytes ${[...item]}`;
    if (item instanceof Map) return ["map", ...item];
    return item;
  });
}
