import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findSwiftShader, gpuEnvironment } from "./gpu-env.mjs";

const home = mkdtempSync(join(tmpdir(), "gpu-env-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** @param {string} name */
function chromiumFolder(name) {
  const folder = join(home, name);
  mkdirSync(folder, { recursive: true });
  for (const file of ["chrome", "vk_swiftshader_icd.json", "libvulkan.so.1"])
    writeFileSync(join(folder, file), "");
  return folder;
}

// Dawn needs this environment on Linux only.
describe.runIf(process.platform === "linux")("gpuEnvironment", () => {
  const folder = chromiumFolder("browser");
  const base = { CHROMIUM: join(folder, "chrome") };

  it("brings Chromium's Vulkan loader where the system has none", () => {
    expect(gpuEnvironment(base, () => false)).toEqual({
      GPT_OSS_SWIFTSHADER_ICD: join(folder, "vk_swiftshader_icd.json"),
      LD_LIBRARY_PATH: folder,
    });
  });

  it("appends it to a library path that is set", () => {
    const { LD_LIBRARY_PATH } = gpuEnvironment({ ...base, LD_LIBRARY_PATH: "/a:/b" }, () => false);
    expect(LD_LIBRARY_PATH).toBe(`/a:/b:${folder}`);
  });

  it("leaves the library path alone where the system has a loader", () => {
    expect(gpuEnvironment(base, () => true)).not.toHaveProperty("LD_LIBRARY_PATH");
  });

  it("leaves alone what is set already", () => {
    const set = { ...base, GPT_OSS_SWIFTSHADER_ICD: "/mine.json", LD_LIBRARY_PATH: folder };
    expect(gpuEnvironment(set, () => false)).toEqual({});
  });
});

it("finds SwiftShader beside the named Chromium before any other", () => {
  chromiumFolder("playwright/chromium-1/chrome-linux64");
  const named = chromiumFolder("named");
  const env = { CHROMIUM: join(named, "chrome"), PLAYWRIGHT_BROWSERS_PATH: join(home, "playwright") };
  expect(findSwiftShader(env)).toBe(named);
});
