// Python's textwrap (3.11) with replace_whitespace and drop_whitespace off, by which pages were wrapped in training.

const space = "\\t\\n\\v\\f\\r ";
const word = "\\p{L}\\p{N}_";
const letter = "[\\p{L}\\p{Nl}\\p{No}_]";
const punctuated = `[${word}!"'&.,?]`;

/** White space, dashes between words, or a word up to a hyphen, its end or a dash. */
const chunkPattern = new RegExp(
  `[${space}]+|(?<=${punctuated})-{2,}(?=[${word}])|[^${space}]+?(?:` +
    `-(?:(?<=${letter}{2}-)|(?<=${letter}-${letter}-))(?=${letter}-?${letter})` +
    `|(?=[${space}]|$)|(?<=${punctuated})(?=-{2,}[${word}]))`,
  "gu",
);

/** Lines of at most `width` code points. White space is kept, empty lines too; only overlong words are broken. */
export function wrapLines(text: string, width = 80): string[] {
  return text.split("\n").flatMap((line) => (line === "" ? [""] : wrapLine(expandTabs(line), width)));
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let current: string[] = [];
  const endLine = (): void => {
    lines.push(current.join(""));
    current = [];
  };
  for (const chunk of line.match(chunkPattern) ?? []) {
    const characters = [...chunk];
    if (characters.length <= width && current.length + characters.length > width) endLine();
    let start = 0;
    while (characters.length - start > width - current.length) {
      // What still is longer than a line goes on right here; a rest that is not starts the next line whole.
      if (characters.length - start > width) {
        const end = breakAt(characters, start, width - current.length);
        for (; start < end; start++) current.push(characters[start] ?? "");
      }
      endLine();
    }
    for (; start < characters.length; start++) current.push(characters[start] ?? "");
  }
  if (current.length > 0) endLine();
  return lines;
}

/** Where a word longer than a line is cut: after its last hyphen that fits, else where the room ends. */
function breakAt(characters: readonly string[], start: number, room: number): number {
  const fitting = characters.slice(start, start + room);
  const hyphen = fitting.lastIndexOf("-");
  const isAfterText = hyphen > 0 && fitting.slice(0, hyphen).some((character) => character !== "-");
  return start + (isAfterText ? hyphen + 1 : room);
}

function expandTabs(line: string): string {
  if (!line.includes("\t")) return line;
  let column = 0;
  let expanded = "";
  for (const character of line) {
    const piece = character === "\t" ? " ".repeat(8 - (column % 8)) : character;
    if (character === "\r") column = 0;
    else column += character === "\t" ? piece.length : 1;
    expanded += piece;
  }
  return expanded;
}
