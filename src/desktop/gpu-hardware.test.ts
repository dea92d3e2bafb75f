import { expect, it } from "vitest";
import { mayHaveGpu } from "./gpu-hardware.ts";

const machine = (folders: Record<string, string[]>, env = {}, platform: NodeJS.Platform = "linux") => ({
  platform,
  env,
  list: (folder: string) => folders[folder] ?? [],
});

it.each<[string, boolean, ReturnType<typeof machine>]>([
  ["Linux without device nodes", false, machine({ "/dev": ["null", "tty"] })],
  ["a display without a render node", false, machine({ "/dev": ["dri"], "/dev/dri": ["card0"] })],
  ["NVIDIA's control node alone", false, machine({ "/dev": ["nvidiactl", "nvidia-caps"] })],
  ["a render node", true, machine({ "/dev": ["dri"], "/dev/dri": ["card0", "renderD128"] })],
  ["an NVIDIA container", true, machine({ "/dev": ["nvidiactl", "nvidia3"] })],
  ["Windows' subsystem for Linux", true, machine({ "/dev": ["dxg"] })],
  ["drivers that the user names", true, machine({}, { VK_DRIVER_FILES: "/x/lvp_icd.json" })],
  ["drivers by the older name", true, machine({}, { VK_ICD_FILENAMES: "/x/lvp_icd.json" })],
  ["an empty list of drivers", false, machine({}, { VK_ICD_FILENAMES: "" })],
  ["macOS", true, machine({}, {}, "darwin")],
])("a GPU is worth asking for on %s: %s", (_, expected, given) => {
  expect(mayHaveGpu(given)).toBe(expected);
});
