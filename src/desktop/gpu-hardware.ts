import { readdirSync } from "node:fs";

/** What tells whether a machine may have a GPU; passed in by tests. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: NodeJS.ProcessEnv;
  /** Names in a folder; empty where it is missing. */
  readonly list: (folder: string) => readonly string[];
}

export const thisMachine: Machine = {
  platform: process.platform,
  env: process.env,
  list(folder) {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  },
};

/**
 * True where it is worth asking for a GPU: Dawn prints warnings of its own on a machine without one. On Linux a GPU
 * shows as a device node (a container may have NVIDIA's alone, Windows' subsystem has dxg), or the user names Vulkan
 * drivers; elsewhere there always is one.
 */
export function mayHaveGpu({ platform, env, list }: Machine = thisMachine): boolean {
  if (platform !== "linux" || env.VK_DRIVER_FILES || env.VK_ICD_FILENAMES) return true;
  const isGpu = (name: string) => /^nvidia\d+$/.test(name) || name === "dxg";
  return list("/dev").some(isGpu) || list("/dev/dri").some((name) => name.startsWith("renderD"));
}
