// Which adapter the desktop engine asks for, on a Dawn that answers by script.
import { describe, expect, it } from "vitest";
import { type AdapterChoice, openDawn } from "./dawn.ts";

const swiftShader = "/lib/vk_swiftshader_icd.json";

const card = { info: { vendor: "a", architecture: "b", description: "c", device: "d" } };
/** Mesa on the CPU, where it is the only driver. */
const cpu = { info: { ...card.info, description: "llvmpipe (LLVM 19)" } };

interface Scene {
  readonly choice?: AdapterChoice;
  readonly hasGpu: boolean;
  /** What the hardware instance answers in turn. */
  readonly answers?: readonly (object | null)[];
  readonly icd?: string;
  /** Vulkan drivers that the environment names. */
  readonly drivers?: string;
}

/** Opens Dawn in a scene; which instances were made, how often they were asked, what was said. */
async function open({ choice = "auto", hasGpu, answers = [], icd, drivers }: Scene) {
  const made: ("hardware" | "swiftshader")[] = [];
  const said: string[] = [];
  const env: NodeJS.ProcessEnv = drivers === undefined ? {} : { VK_ICD_FILENAMES: drivers };
  let asked = 0;
  const opened: string[] = [];
  const create = (flags: string[]) => {
    made.push(flags.includes("backend=vulkan") ? "swiftshader" : "hardware");
    return { requestAdapter: async () => answers[asked++] ?? null } as unknown as GPU;
  };
  const opening = openDawn(choice, (sentence) => said.push(sentence), {
    load: async () => ({ create, globals: {} }),
    env,
    mayHaveGpu: () => hasGpu,
    swiftShader: () => icd,
    pace: () => ({ opened: (isSoftware) => opened.push(isSoftware ? "software" : "hardware") }),
  });
  const error = await opening.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { made, said, env, asked, opened, error };
}

describe("auto", () => {
  it("takes the GPU", async () => {
    const outcome = await open({ hasGpu: true, answers: [card], icd: swiftShader });
    expect(outcome).toMatchObject({ made: ["hardware"], said: [], asked: 1, env: {}, error: undefined });
    expect(outcome.opened).toEqual(["hardware"]);
  });

  it("asks again where the first answer is null: a driver may be restarting", async () => {
    const outcome = await open({ hasGpu: true, answers: [null, card], icd: swiftShader });
    expect(outcome).toMatchObject({ made: ["hardware"], said: [], asked: 2 });
  });

  it("falls back to SwiftShader, with one sentence, where a GPU never answers", async () => {
    const outcome = await open({ hasGpu: true, icd: swiftShader });
    expect(outcome.made).toEqual(["hardware", "swiftshader"]);
    expect(outcome.said).toEqual([expect.stringMatching(/^No GPU was found/)]);
    expect(outcome.env.VK_DRIVER_FILES).toBe(swiftShader);
    expect(outcome.opened).toEqual(["software"]);
  });

  it("never asks a machine without a GPU for one, since Dawn would print warnings", async () => {
    const outcome = await open({ hasGpu: false, icd: swiftShader });
    expect(outcome).toMatchObject({ made: ["swiftshader"], asked: 0 });
    expect(outcome.said).toEqual([expect.stringMatching(/^No GPU was found/)]);
  });

  it("treats SwiftShader by name as SwiftShader: it needs toggles of its own", async () => {
    const outcome = await open({ hasGpu: true, answers: [card], icd: swiftShader, drivers: swiftShader });
    expect(outcome).toMatchObject({ made: ["swiftshader"], asked: 0 });
    expect(
      await open({ hasGpu: true, answers: [cpu], icd: swiftShader, drivers: "/lavapipe.json" }),
    ).toMatchObject({ made: ["hardware"], said: [], opened: ["software"] });
  });

  it("asks all the same where there is no SwiftShader", async () => {
    const outcome = await open({ hasGpu: false, answers: [card] });
    expect(outcome).toMatchObject({ made: ["hardware"], said: [], error: undefined });
  });

  it("fails where there is neither", async () => {
    const outcome = await open({ hasGpu: false });
    expect(outcome.error).toMatchObject({ code: "adapter-unavailable" });
    expect(outcome.said).toEqual([]);
  });
});

describe("swiftshader", () => {
  it("is taken without a look at the GPU", async () => {
    const outcome = await open({ choice: "swiftshader", hasGpu: true, answers: [card], icd: swiftShader });
    expect(outcome).toMatchObject({ made: ["swiftshader"], said: [], asked: 0 });
    expect(outcome.env.VK_ICD_FILENAMES).toBe(swiftShader);
  });

  it("fails where it is not installed", async () => {
    const outcome = await open({ choice: "swiftshader", hasGpu: true });
    expect(outcome).toMatchObject({ made: [], error: { code: "adapter-unavailable" } });
  });
});
