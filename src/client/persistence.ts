import { estimateStorage } from "../weights/storage-estimate.ts";
import type { StoreFault } from "../weights/store-faults.ts";

/** What the browser says about this site's storage, and what the engine found of it. */
export interface StorageFacts extends BrowserStorageFacts {
  /** Of the browser's stores those that fail. Models in them are not listed, and nothing is stored there. */
  readonly failedStores: readonly StoreFault[];
}

/** What the browser says about this site's storage. */
export interface BrowserStorageFacts {
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
    async facts(): Promise<BrowserStorageFacts> {
      const { usage, quota } = await estimateStorage(storage);
      return { persisted: await isPersisted(storage), usageBytes: usage, claimedQuotaBytes: quota };
    },
  };
}

async function isPersisted(storage: Storage | undefined): Promise<boolean> {
  try {
    return (await storage?.persisted?.()) === true;
  } catch {
    return false;
  }
}

async function askOnce(storage: Storage | undefined): Promise<void> {
  if (await storage?.persisted?.()) return;
  await storage?.persist?.();
}
