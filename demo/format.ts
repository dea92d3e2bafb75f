const units = ["B", "kB", "MB", "GB", "TB"] as const;

/** Bytes for people, in powers of 1000: 14.8 MB. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** Milliseconds as seconds: 0.42 s. */
export function formatSeconds(ms: number): string {
  const seconds = ms / 1000;
  return `${seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(1)} s`;
}

/** A rate with as many digits as mean something. */
export function formatRate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return "–";
  return perSecond < 100 ? perSecond.toFixed(1) : String(Math.round(perSecond));
}
