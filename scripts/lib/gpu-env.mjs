import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";

const icdFile = "vk_swiftshader_icd.json";
const systemFolders = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"];

/**
 * Environment variables that a Node child needs before it starts Dawn:
 * `LD_LIBRARY_PATH` (with Chromium's Vulkan loader appended where the system has none) and
 * `GPT_OSS_SWIFTSHADER_ICD` (path of SwiftShader's ICD file, for src/desktop/dawn.ts). Variables that need no
 * change are left out. Linux only; elsewhere Dawn needs nothing.
 * @type {typeof import("./gpu-env.mjs").gpuEnvironment}
 */
export function gpuEnvironment(base = process.env, systemHasVulkan = hasSystemVulkan) {
  if (process.platform !== "linux") return {};
  const folder = findSwiftShader(base);
  if (folder === undefined) return {};
  /** @type {Record<string, string>} */
  const env = {};
  if (!base.GPT_OSS_SWIFTSHADER_ICD) env.GPT_OSS_SWIFTSHADER_ICD = join(folder, icdFile);
  if (!systemHasVulkan() && existsSync(join(folder, "libvulkan.so.1"))) {
    const before = (base.LD_LIBRARY_PATH ?? "").split(delimiter).filter((entry) => entry !== "");
    if (!before.includes(folder)) env.LD_LIBRARY_PATH = [...before, folder].join(delimiter);
  }
  return env;
}

/**
 * Folder that holds SwiftShader's ICD file: beside Chromium, in a distribution's folder, or in Playwright's.
 * @type {typeof import("./gpu-env.mjs").findSwiftShader}
 */
export function findSwiftShader(base = process.env) {
  const folders = [...systemFolders, ...playwrightFolders(base)];
  if (base.CHROMIUM && existsSync(base.CHROMIUM)) folders.unshift(dirname(realpathSync(base.CHROMIUM)));
  return folders.find((folder) => existsSync(join(folder, icdFile)));
}

/**
 * True where this machine looks as if it had a GPU that Vulkan can use.
 * @type {typeof import("./gpu-env.mjs").hasGpuHardware}
 */
export function hasGpuHardware() {
  if (process.platform !== "linux") return true;
  if (existsSync("/dev/nvidia0") || existsSync("/dev/dxg")) return true;
  return list("/dev/dri").some((name) => name.startsWith("renderD"));
}

/** @param {NodeJS.ProcessEnv} base */
function playwrightFolders(base) {
  const browsers = base.PLAYWRIGHT_BROWSERS_PATH ?? join(base.HOME ?? homedir(), ".cache/ms-playwright");
  const chromiums = list(browsers).filter((name) => name.startsWith("chromium"));
  return chromiums.flatMap((name) => list(join(browsers, name)).map((inner) => join(browsers, name, inner)));
}

function hasSystemVulkan() {
  for (const ldconfig of ["/sbin/ldconfig", "/usr/sbin/ldconfig", "ldconfig"]) {
    try {
      const options = /** @type {const} */ ({ encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
      return execFileSync(ldconfig, ["-p"], options).includes("libvulkan.so.1 ");
    } catch {
      // not here: try the next place
    }
  }
  return false;
}

/** @param {string} folder */
function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
