/** Where a program writes: `out` is for results alone, `err` for everything else. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
}

/** This process's stdout and stderr. */
export const processTerminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};
