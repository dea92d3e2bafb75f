import { EngineError } from "../errors.ts";

/** The limits that decide how large one buffer may be. */
export type BufferLimits = Pick<GPUSupportedLimits, "maxBufferSize" | "maxStorageBufferBindingSize">;

/** Most bytes of one buffer: less where kernels bind it as storage. */
export const largestBuffer = (limits: BufferLimits, isStorage: boolean): number =>
  isStorage ? Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize) : limits.maxBufferSize;

/** Throws where a buffer is larger than the adapter allows. @throws limit-exceeded with {buffer, neededBytes, limitBytes} */
export function checkBufferSize(
  limits: BufferLimits,
  label: string,
  { sizeBytes, isStorage }: { readonly sizeBytes: number; readonly isStorage: boolean },
): void {
  const limitBytes = largestBuffer(limits, isStorage);
  if (sizeBytes <= limitBytes) return;
  throw new EngineError(
    "limit-exceeded",
    `${label} needs a buffer of ${sizeBytes} bytes, but this adapter allows ${limitBytes}.`,
    { details: { buffer: label, neededBytes: sizeBytes, limitBytes } },
  );
}
