import type { Page } from "playwright";

export type AdapterChoice = "hardware" | "swiftshader";

export function chromiumArgs(adapter: AdapterChoice): string[];
export function openPage(options: {
  readonly executablePath: string;
  readonly url: string;
}): Promise<{ readonly page: Page; readonly adapter: AdapterChoice; close(): Promise<void> }>;
