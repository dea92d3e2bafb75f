/** A site's storage by the browser's account, in bytes; what it does not tell is absent. */
export interface StorageFigures {
  readonly usage?: number;
  readonly quota?: number;
}

/**
 * Asks `navigator.storage.estimate()`, and never fails: browsers and privacy extensions make it throw, reject or
 * answer nothing.
 */
export async function estimateStorage(
  storage: Partial<Pick<StorageManager, "estimate">> | undefined,
): Promise<StorageFigures> {
  try {
    const { usage, quota } = ((await storage?.estimate?.()) as StorageEstimate | undefined | null) ?? {};
    return {
      ...(Number.isFinite(usage) && { usage: Number(usage) }),
      ...(Number.isFinite(quota) && { quota: Number(quota) }),
    };
  } catch {
    return {};
  }
}
