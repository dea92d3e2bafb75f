/** Values of the sixteen codes. */
const codeValues = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6];

/**
 * Decodes MXFP4 to float64: value = code * 2^(scale - 127).
 * blocks: [N, 16] bytes, element 2i in the low half of byte i; scales: [N] bytes; result: [N, 32].
 */
export function decodeMxfp4Reference(blocks: Uint8Array, scales: Uint8Array): Float64Array {
  const values = new Float64Array(scales.length * 32);
  for (let block = 0; block < scales.length; block += 1) {
    const scale = 2 ** ((scales[block] ?? 0) - 127);
    for (let i = 0; i < 16; i += 1) {
      const byte = blocks[block * 16 + i] ?? 0;
      values[block * 32 + 2 * i] = (codeValues[byte & 15] ?? 0) * scale;
      values[block * 32 + 2 * i + 1] = (codeValues[byte >> 4] ?? 0) * scale;
    }
  }
  return values;
}
