// Which rows or experts of a larger matrix are bound: see src/kernels/bound-part.ts. A binding and no constants, so that all
// parts of a matrix share one text. Kernels leave it unread where IS_WHOLE.
struct BoundPart {
  first: u32,
  count: u32,
  padding_0: u32,
  padding_1: u32,
}
