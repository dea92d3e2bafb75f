import { defineKernel } from "../../gpu/kernel.ts";
import type { Grid } from "../../gpu/steps.ts";
import wgsl from "../../shaders/sample/sample-advance.wgsl?raw";
import { step } from "../libraries.ts";
import { candidateLayout } from "./candidates.ts";

export interface SampleAdvanceShape {
  readonly numCandidates: number;
}

/** Most stop ids of a request. */
export const maxStopTokens = 31;

/** Words of the `result` binding: token, stopped, num_generated, unused. */
export const sampleResultBytes = 16;

/** Takes the best candidate (`candidateLayout`) as the next token and advances the step state on the GPU. */
export const sampleAdvance = defineKernel({
  id: "sample-advance",
  wgsl,
  libraries: [step],
  bindings: {
    state: "read_write",
    candidates: "read",
    stopTokens: "read",
    tokens: "read_write",
    result: "read_write",
  },
  workgroupSizes: { software: 16, large: 1024 },
  constants: ({ numCandidates }: SampleAdvanceShape) => ({
    NUM_CANDIDATES: numCandidates,
    IDS_AT: candidateLayout(numCandidates).idsAt,
    MAX_STOPS: maxStopTokens,
    WG_SIZE: 256,
  }),
});

export const sampleAdvanceGrid: Grid = [1, 1, 1];

/** The `stopTokens` binding: a count, then the ids. */
export function packStopTokens(ids: readonly number[]): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(maxStopTokens + 1);
  words[0] = ids.length;
  words.set(ids, 1);
  return words;
}
