/** Marks a key or a number's object: no key of a schema begins so. */
const mark = "\u0000";
const numberKey = `${mark}number`;
const numberToken = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const keyEnd = /\s*:/y;

/**
 * JSON whose numbers and keys `JSON.stringify` would write in another form or order than openai-harmony does: `1.0`,
 * long whole numbers, keys that are whole numbers. `keyText` and `compactJson` give them back.
 * A byte order mark in front is left out.
 * @throws SyntaxError
 */
export function parseJsonSource(source: string): unknown {
  const text = source.replace(/^\uFEFF/, "");
  const value: unknown = JSON.parse(text);
  let marked = "";
  for (let at = 0; at < text.length; ) {
    const token = tokenAt(text, at);
    const isKey = token.startsWith('"') && matchAt(keyEnd, text, at + token.length) !== "";
    marked += isKey ? markedKey(token) : /^[-\d]/.test(token) ? markedNumber(token) : token;
    at += token.length;
  }
  return marked === text ? value : JSON.parse(marked);
}

/** A key as the source has it. */
export function keyText(key: string): string {
  return key.startsWith(mark) ? key.slice(mark.length) : key;
}

/** JSON without white space, numbers and keys as openai-harmony writes them. */
export function compactJson(value: unknown): string {
  return written(JSON.parse(JSON.stringify(value)));
}

function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value);
  const [first] = entries;
  if (first?.[0] === numberKey) return String(first[1]);
  return `{${entries.map(([key, each]) => `${JSON.stringify(keyText(key))}:${written(each)}`).join(",")}}`;
}

/** A string, a number or one other character of valid JSON. */
function tokenAt(text: string, at: number): string {
  if (text[at] !== '"') return matchAt(numberToken, text, at) || text.charAt(at);
  let end = at + 1;
  while (text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
  return text.slice(at, end + 1);
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}

/** JavaScript puts keys that are whole numbers before all others. */
function markedKey(token: string): string {
  return /^"\d+"$/.test(token) ? `"\\u0000${token.slice(1)}` : token;
}

function markedNumber(token: string): string {
  const text = rustNumber(token);
  return text === JSON.stringify(Number(token)) ? token : JSON.stringify({ [numberKey]: text });
}

/** A number as serde_json writes what it read: whole numbers of 64 bits exactly, all others as the shortest double. */
function rustNumber(token: string): string {
  if (/^-?\d+$/.test(token) && token !== "-0") {
    const whole = BigInt(token);
    if (BigInt.asIntN(64, whole) === whole || BigInt.asUintN(64, whole) === whole) return String(whole);
  }
  const value = Number(token);
  const sign = token.startsWith("-") ? "-" : "";
  const [mantissa = "0", power = "0"] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const exponent = Number(power);
  if (exponent >= 16 || exponent < -5) return `${sign}${mantissa}e${exponent}`;
  const padded = exponent < 0 ? "0".repeat(-exponent) + digits : digits.padEnd(exponent + 2, "0");
  const point = Math.max(exponent, 0) + 1;
  return `${sign}${padded.slice(0, point)}.${padded.slice(point)}`;
}
