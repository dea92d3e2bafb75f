/** What is switched on, as far as it shows beside the button. */
export interface SwitchedOn {
  readonly browser: boolean;
  readonly python: boolean;
  readonly functions: boolean;
  readonly format: string;
  readonly budget: string;
  readonly hidesReasoning: boolean;
}

/** A few words for what departs from a plain chat; empty where nothing does. */
export function summarizeSettings(on: SwitchedOn): string {
  const budget = on.budget.trim();
  return [
    ...(on.browser ? ["browser"] : []),
    ...(on.python ? ["python"] : []),
    ...(on.functions ? ["functions"] : []),
    ...(on.format === "json_object" ? ["JSON"] : []),
    ...(on.format === "json_schema" ? ["JSON schema"] : []),
    ...(budget === "" ? [] : [`≤ ${budget} reasoning tokens`]),
    ...(on.hidesReasoning ? ["reasoning hidden"] : []),
  ].join(" · ");
}
