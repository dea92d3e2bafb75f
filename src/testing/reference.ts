import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A folder of the repository, such as `fixtures/tiny-mxfp4`. */
export const repositoryPath = (path: string): string =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** What transformers computed for one prompt. */
export interface ReferencePrompt {
  readonly tokens: readonly number[];
  /** Greedy continuation. */
  readonly greedy: readonly number[];
  /** [T, V] logits of every position. */
  readonly logits: Float32Array;
}

/** The reference of a fixture: reference.json and the F32 tensors of reference.safetensors. */
export function readReference(folder: string): ReferencePrompt[] {
  const json = JSON.parse(readFileSync(`${folder}/reference.json`, "utf8")) as {
    prompts: { tokens: number[]; greedy: number[]; logits: string }[];
  };
  const tensors = readF32Tensors(`${folder}/reference.safetensors`);
  return json.prompts.map(({ tokens, greedy, logits }) => {
    const values = tensors.get(logits);
    if (values === undefined) throw new Error(`${folder} has no reference tensor ${logits}`);
    return { tokens, greedy, logits: values };
  });
}

/** Every F32 tensor of a safetensors file, by name. */
export function readF32Tensors(path: string): Map<string, Float32Array> {
  const bytes = readFileSync(path);
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + headerBytes)) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >;
  const data = bytes.subarray(8 + headerBytes);
  return new Map(
    Object.entries(header)
      .filter(([, entry]) => entry.dtype === "F32")
      .map(
        ([
          name,
          {
            data_offsets: [start, end],
          },
        ]) => [name, new Float32Array(new Uint8Array(data.subarray(start, end)).buffer)],
      ),
  );
}

/** The nano model's reference: prompts as ids, greedy continuations, and the best eight logits at some positions. */
export function readNanoReference(
  folder: string,
): { prompt: number[]; greedy: number[]; top8: { pos: number; ids: number[]; logits: number[] }[] }[] {
  return (
    JSON.parse(readFileSync(`${folder}/reference.json`, "utf8")) as {
      prompts: {
        prompt: number[];
        greedy: number[];
        top8: { pos: number; ids: number[]; logits: number[] }[];
      }[];
    }
  ).prompts;
}
