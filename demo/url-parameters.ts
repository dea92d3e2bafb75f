/** What the page's address can set; for links, scripts and tests. */
export interface UrlParameters {
  /** `?temperature=0` makes answers repeatable. Default: 0 for the embedded model, 1 for others. */
  readonly temperature: number | undefined;
  /** `?model=org/name` or an address selects another checkpoint. */
  readonly model: string | undefined;
  /** `?date=2026-11-22` is what the model is told as the current date. Default: today's. */
  readonly date: string | undefined;
  /** `?chunkBytes=4194304`: size of a stored chunk; a debugging option. */
  readonly chunkBytes: number | undefined;
}

/** Reads the parameters; malformed ones are left out, because an address may be mistyped. */
export function readUrlParameters(search: string): UrlParameters {
  const parameters = new URLSearchParams(search);
  const temperature = readNumber(parameters.get("temperature"));
  const date = parameters.get("date") ?? undefined;
  return {
    temperature: temperature !== undefined && temperature >= 0 ? temperature : undefined,
    model: parameters.get("model") || undefined,
    date: date !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(date) ? date : undefined,
    chunkBytes: readNumber(parameters.get("chunkBytes")),
  };
}

function readNumber(text: string | null): number | undefined {
  if (text === null || text.trim() === "") return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
