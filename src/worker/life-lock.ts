/**
 * Takes a Web Lock that is never given back, and resolves to its name once it is held. The browser frees it when
 * the worker ends, however it ends, and so tells whoever waits for it: `terminate()` and `self.close()` send no event.
 * Resolves to undefined where there are no locks (or they fail): then the heartbeat alone watches.
 */
export async function holdLifeLock(locks: LockManager | undefined): Promise<string | undefined> {
  if (locks === undefined) return undefined;
  const name = `gpt-oss-webgpu:worker:${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    const held = locks.request(name, () => {
      resolve(name);
      return new Promise<never>(() => {});
    });
    held.catch(() => resolve(undefined));
  });
}
