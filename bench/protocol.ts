import type { BenchReport } from "../src/bench/report.ts";
import type { BenchShape } from "../src/bench/shapes.ts";
import type { WireError } from "../src/errors.ts";

/** What the page asks of its worker. */
export interface PageRequest {
  /** `nano` is the trained model beside the page. */
  readonly shape: "nano" | BenchShape;
  /** Address of the nano model's folder. */
  readonly nanoUrl: string;
  /** Most layers; fewer are taken where the adapter has no room for them. */
  readonly layers: number;
  readonly dense: "bf16" | "int8";
  readonly promptTokens: number;
  readonly decodeTokens: number;
  /** 0: not at depth. */
  readonly depth: number;
  readonly runs: number;
}

export type ToWorker = { readonly type: "run"; readonly request: PageRequest } | { readonly type: "stop" };

export type FromWorker =
  | { readonly type: "progress"; readonly sentence: string }
  | { readonly type: "report"; readonly report: BenchReport }
  | { readonly type: "failed"; readonly error: WireError };
