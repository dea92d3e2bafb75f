/** The plainest transposition. */
export function plainTranspose(values: Uint16Array, rows: number, columns: number): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1)
      out[column * rows + row] = values[row * columns + column] ?? 0;
  return out;
}
