// What a disk may do to stored models: of four shards one gets a flipped bit, one is cut short, two are swapped; a
// journal becomes unreadable.

/** Runs in the page: damages the only chunk of each of these shards in IndexedDB. */
export async function damageRecords([flipped = "", cut = "", one = "", other = ""]: string[]): Promise<void> {
  const done = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const database = await done(indexedDB.open("gpt-oss-webgpu"));
  const chunks = () => database.transaction("chunks", "readwrite").objectStore("chunks");
  const keys = (await done(chunks().getAllKeys())) as string[][];
  const keyOf = (name: string) => {
    const key = keys.find(([kind, , file]) => kind === "chunk" && file === name);
    if (key === undefined) throw new Error(`${name} is not stored`);
    return key;
  };
  const read = async (name: string) =>
    new Uint8Array(await (await done<Blob>(chunks().get(keyOf(name)))).arrayBuffer());
  const write = async (name: string, bytes: Uint8Array<ArrayBuffer>) => {
    await done(chunks().put(new Blob([bytes]), keyOf(name)));
  };
  await write(
    flipped,
    (await read(flipped)).map((byte, i) => (i === 1000 ? byte ^ 1 : byte)),
  );
  await write(cut, (await read(cut)).slice(0, -100));
  const [first, second] = [await read(one), await read(other)];
  await write(one, second);
  await write(other, first);
  database.close();
}

/** Runs in the page: damages the data files of these shards in the private file system. */
export async function damageFiles([flipped = "", cut = "", one = "", other = ""]: string[]): Promise<void> {
  const root = await navigator.storage.getDirectory();
  const models = await root.getDirectoryHandle("gpt-oss-webgpu");
  const write = async (name: string, change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>) => {
    for await (const [, model] of models as unknown as AsyncIterable<[string, FileSystemDirectoryHandle]>) {
      const file = await model.getFileHandle(`data-${name}`);
      const bytes = new Uint8Array(await (await file.getFile()).arrayBuffer());
      const writable = await file.createWritable();
      await writable.write(change(bytes));
      await writable.close();
      return bytes;
    }
    throw new Error("no model is stored");
  };
  await write(flipped, (bytes) => bytes.map((byte, i) => (i === 1000 ? byte ^ 1 : byte)));
  await write(cut, (bytes) => bytes.slice(0, -100));
  const first = await write(one, (bytes) => bytes);
  const second = await write(other, () => first);
  await write(one, () => second);
}

/** Runs in the page: fills the journal of the model in the private file system with zeros. */
export async function damageJournal(): Promise<void> {
  const root = await navigator.storage.getDirectory();
  const models = await root.getDirectoryHandle("gpt-oss-webgpu");
  for await (const [, model] of models as unknown as AsyncIterable<[string, FileSystemDirectoryHandle]>) {
    const file = await model.getFileHandle("journal");
    const { size } = await file.getFile();
    const writable = await file.createWritable();
    await writable.write(new Uint8Array(size));
    await writable.close();
  }
}
