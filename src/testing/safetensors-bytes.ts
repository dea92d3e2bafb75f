import type { ExpectedTensor, TensorEntry } from "../format/types.ts";
import { dtypeBytes } from "../format/types.ts";

/** A safetensors file of exactly this header text and this many data bytes (a counting pattern). */
export function rawSafetensors(header: string | Uint8Array, dataBytes = 0): Uint8Array<ArrayBuffer> {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.byteLength + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.byteLength), true);
  bytes.set(text, 8);
  for (let i = 0; i < dataBytes; i++) bytes[8 + text.byteLength + i] = (i * 31 + (i >> 8)) & 0xff;
  return bytes;
}

/** A valid safetensors file holding these tensors in this order. */
export function safetensorsBytes(tensors: readonly ExpectedTensor[]): Uint8Array<ArrayBuffer> {
  let at = 0;
  const header = Object.fromEntries(
    tensors.map(({ name, dtype, shape }) => {
      const start = at;
      at += shape.reduce((product, dim) => product * dim, dtypeBytes[dtype]);
      return [name, { dtype, shape, data_offsets: [start, at] }];
    }),
  );
  return rawSafetensors(JSON.stringify({ __metadata__: { format: "pt" }, ...header }), at);
}

/** Entries for tensors as if they lay one after another in `file`. */
export function tensorEntries(tensors: Iterable<ExpectedTensor>, file = "model.safetensors"): TensorEntry[] {
  return [...tensors].map((tensor) => ({ ...tensor, file, startBytes: 0, endBytes: 0 }));
}
