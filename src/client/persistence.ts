/** What the browser says about this site's storage. */
export interface StorageFacts {
  /** True where the browser promised not to delete the models by itself when space runs short. */
  readonly persisted: boolean;
  /** Bytes that this site takes, by the browser's account; undefined where it gives none. */
  readonly usageBytes: number | undefined;
  /**
   * What the browser claims that this site may take. For display only: Chromium makes the figure up (usage + 10 GiB),
   * so nothing is refused because of it.
   */
  readonly claimedQuotaBytes: number | undefined;
}

type Storage = Partial<Pick<StorageManager, "persist" | "persisted" | "estimate">>;

/** Asks the browser, once, not to delete stored models by itself. Some ask the user; a refusal changes nothing. */
export function createPersistence(storage: Storage | undefined = globalThis.navigator?.storage) {
  let hasAsked = false;
  return {
    ask(): void {
      if (hasAsked) return;
      hasAsked = true;
      void askOnce(storage).catch(() => {});
    },
    async facts(): Promise<StorageFacts> {
      const estimate: StorageEstimate = (await storage?.estimate?.().catch(() => undefined)) ?? {};
      return {
        persisted: (await storage?.persisted?.().catch(() => false)) ?? false,
        usageBytes: estimate.usage,
        claimedQuotaBytes: estimate.quota,
      };
    },
  };
}

async function askOnce(storage: Storage | undefined): Promise<void> {
  if (await storage?.persisted?.()) return;
  await storage?.persist?.();
}
