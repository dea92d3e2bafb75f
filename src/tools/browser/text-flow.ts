/** Writes running text: white space collapses, blocks are parted, quotes and preformatted text are indented. */
export interface TextFlow {
  /** Running text. */
  words(text: string): void;
  /** Text as it is, on the current line. */
  mark(text: string): void;
  /** The sign of a heading or list item, at the beginning of a line; breaks and blanks right after it are ignored. */
  marker(text: string): void;
  /** A sign within a line, which preformatted text does without. */
  sign(text: string): void;
  /** What follows begins a line, unless it does already. */
  lineBreak(): void;
  /** The same after two spaces, Markdown's sign for a break within a paragraph. */
  softBreak(): void;
  /** What follows stands after a blank line. */
  paragraph(): void;
  /** Runs `write`; every line of it begins with the prefix. */
  within(options: { readonly prefix: string; readonly preformatted: boolean }, write: () => void): void;
  /** A line across. */
  rule(): void;
  text(): string;
}

const endsInWord = /[\p{L}\p{N}_]$/u;
const beginsWithWord = /^[\p{L}\p{N}_]/u;

export function createTextFlow(): TextFlow {
  const pieces: string[] = [];
  let newlines = 0;
  let soft = false;
  let gap = false;
  let isAfterMarker = false;
  let last = "";
  let prefix = "";
  let lastPrefix = "";
  let preformatted = false;

  /** Writes on the current line, after the breaks that are due. */
  function put(text: string, partsWords = false): void {
    if (text === "") return;
    if (pieces.length === 0) pieces.push(prefix);
    else if (newlines > 0) {
      pieces.push(soft ? "  " : "");
      // A blank line between a quote and its surroundings belongs to the surroundings.
      const between = (prefix.length < lastPrefix.length ? prefix : lastPrefix).trimEnd();
      for (let i = 0; i < newlines; i++) pieces.push("\n", i < newlines - 1 ? between : prefix);
    } else if (gap || (partsWords && endsInWord.test(last) && beginsWithWord.test(text))) pieces.push(" ");
    lastPrefix = prefix;
    isAfterMarker = false;
    newlines = 0;
    soft = false;
    gap = false;
    pieces.push(text);
    // The last character alone, both halves of it where it is a pair.
    last = text.slice(-2);
  }

  function breakLine(): void {
    if (isAfterMarker) return;
    newlines = Math.max(newlines, 1);
    gap = false;
  }

  function verbatim(text: string): void {
    const lines = text.replace(/\r\n?/g, "\n").split("\n");
    lines.forEach((line, index) => {
      if (index > 0) newlines++;
      put(line);
    });
  }

  function running(text: string): void {
    const body = text.trim();
    if (newlines === 0 && !isAfterMarker && /^\s/.test(text)) gap = true;
    if (body === "") return;
    put(body.replace(/\s+/g, " "), true);
    gap = /\s$/.test(text);
  }

  return {
    words(text) {
      if (preformatted) verbatim(text);
      else running(text);
    },
    mark: (text) => put(text),
    lineBreak: breakLine,
    softBreak() {
      soft = newlines === 0 || soft;
      breakLine();
    },
    sign(text) {
      if (!preformatted) put(text);
    },
    marker(text) {
      isAfterMarker = false; // of an empty item before
      breakLine();
      put(text);
      isAfterMarker = true;
    },
    paragraph() {
      if (isAfterMarker) return;
      newlines = 2;
      gap = false;
    },
    within(options, write) {
      const before = { prefix, preformatted };
      prefix += options.prefix;
      preformatted ||= options.preformatted;
      write();
      ({ prefix, preformatted } = before);
    },
    rule() {
      newlines = 2;
      put("* * *");
      newlines = 2;
    },
    text: () => pieces.join("").trim(),
  };
}
