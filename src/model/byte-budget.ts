/** Bytes that several tasks share: whoever finds too few left waits, in order. */
export interface ByteBudget {
  /** Takes bytes; resolves to what gives them back. More than there are in all is given to one who is alone. */
  take(numBytes: number): Promise<() => void>;
}

export function createByteBudget(totalBytes: number): ByteBudget {
  let taken = 0;
  const waiting: { readonly numBytes: number; readonly start: () => void }[] = [];
  const fits = (numBytes: number) => taken === 0 || taken + numBytes <= totalBytes;
  const startWaiting = () => {
    for (let next = waiting[0]; next !== undefined && fits(next.numBytes); next = waiting[0]) {
      waiting.shift();
      taken += next.numBytes;
      next.start();
    }
  };
  return {
    async take(numBytes) {
      await new Promise<void>((start) => {
        waiting.push({ numBytes, start });
        startWaiting();
      });
      return () => {
        taken -= numBytes;
        startWaiting();
      };
    },
  };
}
