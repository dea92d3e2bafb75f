/** Rows (or experts) `first` to `first + count - 1` of a tensor. */
export interface Part {
  readonly first: number;
  readonly count: number;
}

export interface SplitOptions {
  /** Rows, or whatever must stay whole. */
  readonly count: number;
  readonly bytesEach: number;
  /** Most bytes of a part. */
  readonly limitBytes: number;
  /** Every part but the last has a multiple of so many. Default 1. */
  readonly multiple?: number;
}

/**
 * Cuts a tensor into as few parts of about the same size as stay within `limitBytes`: one where it fits. Where even
 * `multiple` rows are too large, parts of so many are returned, for the caller to be refused a buffer.
 */
export function splitEvenly({ count, bytesEach, limitBytes, multiple = 1 }: SplitOptions): Part[] {
  if (count * bytesEach <= limitBytes) return [{ first: 0, count }];
  const most = Math.max(multiple, Math.floor(limitBytes / bytesEach / multiple) * multiple);
  const step = Math.ceil(count / Math.ceil(count / most) / multiple) * multiple;
  const parts: Part[] = [];
  for (let first = 0; first < count; first += step)
    parts.push({ first, count: Math.min(step, count - first) });
  return parts;
}
