import { eitherApart, literal, oneOfRanges } from "./ebnf.ts";

/** Bounds as JSON Schema has them. */
export interface NumberBounds {
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly exclusiveMinimum?: number | undefined;
  readonly exclusiveMaximum?: number | undefined;
}

/** Most digits before the point: whole numbers stay exact. */
const largest = 999_999_999_999_999;
const digits = (least: number, most: number): string => (most <= 0 ? '""' : `[0-9]{${least},${most}}`);
const digit = (from: number, to: number): string => oneOfRanges([[48 + from, 48 + to]]);

/** A bound of numbers at least zero: whole part, digits after the point without trailing zeros, and whether it counts. */
interface Bound {
  readonly whole: number;
  readonly fraction: string;
  readonly included: boolean;
}

/** Whole numbers within bounds, as EBNF; undefined where there are none. */
export function integerRange(bounds: NumberBounds): string | undefined {
  const { minimum = -largest, maximum = largest, exclusiveMinimum, exclusiveMaximum } = bounds;
  const least = Math.max(
    -largest,
    Math.ceil(minimum),
    exclusiveMinimum === undefined ? -largest : Math.floor(exclusiveMinimum) + 1,
  );
  const most = Math.min(
    largest,
    Math.floor(maximum),
    exclusiveMaximum === undefined ? largest : Math.ceil(exclusiveMaximum) - 1,
  );
  const alternatives = wholeRange(Math.max(least, 0), most);
  const negative = wholeRange(Math.max(1, -most), -least);
  if (negative.length > 0) alternatives.push(`"-" ${eitherApart(negative)}`);
  return alternatives.length === 0 ? undefined : eitherApart(alternatives);
}

/** Decimal numbers within bounds, without exponent, as EBNF; undefined where there are none. */
export function decimalRange(bounds: NumberBounds): string | undefined {
  const low = lowest(bounds);
  const high = highest(bounds);
  if (low.value > largest || high.value < -largest) return undefined;
  const zero: Bound = { whole: 0, fraction: "", included: true };
  const alternatives: string[] = [];
  if (high.value >= 0) {
    const from = low.value < 0 ? zero : bound(low);
    alternatives.push(...between(from, bound(high)));
  }
  if (low.value < 0) {
    const from = high.value >= 0 ? { ...zero, included: false } : bound(high);
    const negative = between(from, bound(low));
    if (negative.length > 0) alternatives.push(`"-" ${eitherApart(negative)}`);
  }
  return alternatives.length === 0 ? undefined : eitherApart(alternatives);
}

interface Limit {
  readonly value: number;
  readonly included: boolean;
}

function lowest({ minimum = -largest, exclusiveMinimum }: NumberBounds): Limit {
  if (exclusiveMinimum !== undefined && exclusiveMinimum >= minimum)
    return { value: exclusiveMinimum, included: false };
  return { value: minimum, included: true };
}

function highest({ maximum = largest, exclusiveMaximum }: NumberBounds): Limit {
  if (exclusiveMaximum !== undefined && exclusiveMaximum <= maximum)
    return { value: exclusiveMaximum, included: false };
  return { value: maximum, included: true };
}

/** The limit's magnitude in decimal digits. */
function bound({ value, included }: Limit): Bound {
  const magnitude = Math.min(Math.abs(value), largest);
  const [, first = "", more = "", exponent = ""] = /^(\d)(?:\.(\d+))?e-(\d+)$/.exec(String(magnitude)) ?? [];
  const text = exponent === "" ? String(magnitude) : `0.${"0".repeat(Number(exponent) - 1)}${first}${more}`;
  const [whole = "0", fraction = ""] = text.split(".");
  const isWithin = included || Math.abs(value) > largest;
  return { whole: Number(whole), fraction: fraction.replace(/0+$/, ""), included: isWithin };
}

/**
 * Most digits after the point near a bound that does not count: with at most 15 significant ones no other text is read
 * as the bound itself.
 */
function finest({ whole, fraction, included }: Bound): number {
  if (included) return Number.POSITIVE_INFINITY;
  const zeros = whole === 0 ? fraction.search(/[1-9]|$/) : 0;
  return 15 - String(whole).length + zeros;
}

function between(low: Bound, high: Bound): string[] {
  const wanted = Math.max(6, low.fraction.length + 3, high.fraction.length + 3);
  const most = Math.min(wanted, finest(low), finest(high));
  if (low.whole > high.whole) return [];
  if ([low, high].some(({ included, fraction }) => !included && most <= fraction.length)) return [];
  const inner = wholeRange(low.whole + 1, high.whole - 1).map(
    (whole) => `${whole} ("." ${digits(1, most)})?`,
  );
  if (low.whole === high.whole) return sameWhole(low, high, most);
  return [
    ...above(low.fraction, low.included, most).map((part) => withFraction(low.whole, part)),
    ...inner,
    ...below(high.fraction, high.included, most).map((part) => withFraction(high.whole, part)),
  ];
}

/** `undefined` stands for no point at all. */
const withFraction = (whole: number, fraction: string | undefined): string =>
  fraction === undefined ? literal(String(whole)) : `${literal(`${whole}.`)} ${fraction}`;

/** Fractions at least (or above) `fraction`, up to .999…; undefined is the whole number itself. */
function above(fraction: string, included: boolean, most: number): (string | undefined)[] {
  const parts: (string | undefined)[] = [];
  if (fraction === "" && included) return [undefined, digits(1, most)];
  for (let i = 0; i < fraction.length; i++) {
    const next = Number(fraction[i]) + 1;
    if (next <= 9)
      parts.push(`${literal(fraction.slice(0, i))} ${digit(next, 9)} ${digits(0, most - i - 1)}`);
  }
  const rest = most - fraction.length;
  parts.push(
    included
      ? `${literal(fraction)} ${digits(0, rest)}`
      : `${literal(fraction)} [0]{0,${Math.max(0, Math.min(3, rest) - 1)}} [1-9] ${digits(0, rest - 3)}`,
  );
  return parts;
}

/** Fractions at most (or below) `fraction`, the whole number itself among them where it counts. */
function below(fraction: string, included: boolean, most: number): (string | undefined)[] {
  if (fraction === "") return included ? [undefined] : [];
  const parts: (string | undefined)[] = [undefined];
  for (let i = 0; i < fraction.length; i++) {
    if (i > 0) parts.push(literal(fraction.slice(0, i))); // shorter is less: its last digit is not 0
    const before = Number(fraction[i]) - 1;
    if (before >= 0)
      parts.push(`${literal(fraction.slice(0, i))} ${digit(0, before)} ${digits(0, most - i - 1)}`);
  }
  if (included) parts.push(literal(fraction));
  return parts;
}

/** Both bounds have the same whole part. */
function sameWhole(low: Bound, high: Bound, most: number): string[] {
  const length = Math.max(low.fraction.length, high.fraction.length);
  const a = low.fraction.padEnd(length, "0");
  const b = high.fraction.padEnd(length, "0");
  if (a > b) return [];
  if (a === b)
    return low.included && high.included
      ? [withFraction(low.whole, low.fraction === "" ? undefined : literal(low.fraction))]
      : [];
  let at = 0;
  while (a[at] === b[at]) at += 1;
  const [from, to] = [Number(a[at]), Number(b[at])];
  const parts: (string | undefined)[] = [];
  const prefix = literal(a.slice(0, at));
  if (from + 1 <= to - 1) parts.push(`${prefix} ${digit(from + 1, to - 1)} ${digits(0, most - at - 1)}`);
  const lead = (last: number, part: string | undefined) =>
    part === undefined ? literal(a.slice(0, at) + last) : `${literal(a.slice(0, at) + last)} ${part}`;
  const rest = (text: string) => text.slice(at + 1).replace(/0+$/, "");
  parts.push(...above(rest(a), low.included, most - at - 1).map((part) => lead(from, part)));
  parts.push(...below(rest(b), high.included, most - at - 1).map((part) => lead(to, part)));
  if (low.fraction === "" && low.included) parts.push(undefined);
  return parts.map((part) => withFraction(low.whole, part));
}

/** Whole numbers from `least` to `most`, both at least 0, without leading zeros. */
function wholeRange(least: number, most: number): string[] {
  const alternatives: string[] = [];
  for (let length = 1; length <= String(largest).length; length++) {
    const from = Math.max(least, length === 1 ? 0 : 10 ** (length - 1));
    const to = Math.min(most, 10 ** length - 1);
    if (from <= to) alternatives.push(...sameLength(String(from), String(to)));
  }
  return alternatives;
}

/** Digit strings of one length from `a` to `b`. */
function sameLength(a: string, b: string): string[] {
  const length = a.length;
  if (/^0*$/.test(a) && /^9*$/.test(b)) return [digits(length, length)];
  if (length === 1) return [digit(Number(a), Number(b))];
  const [first, last] = [Number(a[0]), Number(b[0])];
  const [restA, restB] = [a.slice(1), b.slice(1)];
  const led = (from: number, to: number, rest: readonly string[]) =>
    rest.map((part) => `${digit(from, to)} ${part}`);
  if (first === last) return led(first, first, sameLength(restA, restB));
  const [zeros, nines] = ["0".repeat(length - 1), "9".repeat(length - 1)];
  const lowIsWhole = restA === zeros;
  const highIsWhole = restB === nines;
  const [from, to] = [lowIsWhole ? first : first + 1, highIsWhole ? last : last - 1];
  return [
    ...(lowIsWhole ? [] : led(first, first, sameLength(restA, nines))),
    ...(from <= to ? led(from, to, [digits(length - 1, length - 1)]) : []),
    ...(highIsWhole ? [] : led(last, last, sameLength(zeros, restB))),
  ];
}
