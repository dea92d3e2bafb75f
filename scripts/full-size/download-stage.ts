import { rmSync } from "node:fs";
import { openBrowser } from "./browser.ts";
import { killBrowser } from "./processes.ts";
import { watchThreads } from "./threads.ts";
import type { TripOptions } from "./trip-stage.ts";

/** One whole download that nothing disturbs: its rate, and the CPU time of the browser's threads meanwhile. */
export async function downloadStage(
  options: Pick<
    TripOptions,
    "shape" | "written" | "server" | "store" | "profile" | "executablePath" | "gpuFlags"
  >,
) {
  const { shape, written, server, store, profile } = options;
  rmSync(profile, { recursive: true, force: true });
  const browser = await openBrowser({ ...options, url: server.url });
  try {
    const usedSeconds = watchThreads(profile);
    const { seconds } = await browser.page.evaluate((model) => trip.download(model), {
      baseUrl: new URL("model/", server.url).href,
      store,
      contextLength: shape.contextLength,
      ...(shape.chunkBytes !== undefined && { chunkBytes: shape.chunkBytes }),
    });
    return { seconds, gigabytesPerSecond: written.totalBytes / 1e9 / seconds, cpuSeconds: usedSeconds() };
  } finally {
    await killBrowser(profile);
    rmSync(profile, { recursive: true, force: true });
  }
}
