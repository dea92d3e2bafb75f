import { hasGpuHardware } from "./gpu-env.mjs";

/** @typedef {import("playwright").Page} Page */

/**
 * Chromium's flags for WebGPU, on SwiftShader or on the machine's GPU. Spaces separate further flags in the
 * environment variable CHROMIUM_ARGS.
 * @type {typeof import("./browser.mjs").chromiumArgs}
 */
export function chromiumArgs(adapter) {
  const args = ["--enable-unsafe-webgpu", "--disable-background-networking"];
  // The Dawn toggle: see softwareToggles in src/desktop/dawn.ts; without it the page's kernels take minutes to compile.
  if (adapter === "swiftshader")
    args.push(
      "--use-webgpu-adapter=swiftshader",
      "--disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension",
    );
  else if (process.platform === "linux") args.push("--enable-features=Vulkan", "--ignore-gpu-blocklist");
  if (process.getuid?.() === 0) args.push("--no-sandbox"); // Chromium's sandbox refuses root
  const further = (process.env.CHROMIUM_ARGS ?? "").split(/\s+/).filter((arg) => arg !== "");
  return [...args, ...further];
}

/**
 * Opens `url` in headless Chromium: on the GPU where there is one that gives an adapter, else on SwiftShader.
 * @param {{ executablePath: string, url: string }} options
 * @returns {Promise<{ page: Page, adapter: "hardware" | "swiftshader", close: () => Promise<void> }>}
 */
export async function openPage({ executablePath, url }) {
  if (hasGpuHardware()) {
    const opened = await open(executablePath, url, "hardware");
    if (await hasAdapter(opened.page)) return opened;
    await opened.close();
  }
  return open(executablePath, url, "swiftshader");
}

/**
 * @param {string} executablePath
 * @param {string} url
 * @param {"hardware" | "swiftshader"} adapter
 */
async function open(executablePath, url, adapter) {
  const { chromium } = await import("playwright");
  const browser = await chromium.launch({ executablePath, args: chromiumArgs(adapter) });
  const page = await browser.newPage();
  await page.goto(url);
  return { page, adapter, close: () => browser.close() };
}

/**
 * Asks twice, because the first answer is null where the browser restarts its GPU process for WebGPU.
 * @param {Page} page
 * @returns {Promise<boolean>}
 */
function hasAdapter(page) {
  return page.evaluate(async () => {
    const find = async () =>
      (await navigator.gpu?.requestAdapter()) ?? (await navigator.gpu?.requestAdapter());
    return Boolean(await find());
  });
}
