/** Bit mask over the vocabulary: bit `id % 32` of word `id / 32` is set where the id may be sampled. */
export type TokenMask = Uint32Array<ArrayBuffer>;

/** What may come next in an answer. */
export type Direction =
  /** Sampled within `mask`, and so are the tokens after it until a guide says otherwise: steps run ahead. */
  | { readonly kind: "free"; readonly mask: TokenMask }
  /** Sampled within `mask`, which holds for one token: the mask after it depends on what that is. */
  | { readonly kind: "next"; readonly mask: TokenMask | Promise<TokenMask> }
  /** These tokens, whatever the model would sample. They count as part of the answer. At least one. */
  | { readonly kind: "forced"; readonly tokens: readonly number[] };

/** Decides token by token what an answer may hold. It sees every token of the answer once, forced ones too. */
export interface Guide {
  /** Before the first token. */
  begin(): Direction;
  /** After `token`, which is now part of the answer. Not asked after a stop token. */
  next(token: number): Direction;
}

/** A guide that allows the same ids everywhere. */
export function freeGuide(mask: TokenMask): Guide {
  const direction: Direction = { kind: "free", mask };
  return { begin: () => direction, next: () => direction };
}
