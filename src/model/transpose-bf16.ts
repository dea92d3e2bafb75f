/** A bf16 matrix [rows, columns] as [columns, rows]. */
export function transposeBf16(bytes: Uint8Array, rows: number, columns: number): Uint8Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  const from = new Uint16Array(aligned.buffer, aligned.byteOffset, rows * columns);
  const to = new Uint16Array(rows * columns);
  const block = 32; // squares that stay in the cache
  for (let row0 = 0; row0 < rows; row0 += block) {
    for (let column0 = 0; column0 < columns; column0 += block) {
      const rowEnd = Math.min(rows, row0 + block);
      const columnEnd = Math.min(columns, column0 + block);
      for (let row = row0; row < rowEnd; row += 1) {
        for (let column = column0; column < columnEnd; column += 1)
          to[column * rows + row] = from[row * columns + column] ?? 0;
      }
    }
  }
  return new Uint8Array(to.buffer);
}
