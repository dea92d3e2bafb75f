/** The special tokens of harmony by role; ids are looked up by these names, never written down. */
export const harmonyTokens = {
  start: "<|start|>",
  message: "<|message|>",
  channel: "<|channel|>",
  constrain: "<|constrain|>",
  end: "<|end|>",
  return: "<|return|>",
  call: "<|call|>",
  endOfText: "<|endoftext|>",
} as const;

/** Rendered by other formats, never by harmony. */
export const startOfText = "<|startoftext|>";
