import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decimalRange, integerRange, type NumberBounds } from "./number-range.ts";

/** These expressions hold literals, classes, repetitions and brackets alone, which a regular expression has, too. */
function toRegExp(ebnf: string | undefined): RegExp {
  const pattern = (ebnf ?? "(?!)")
    .replaceAll("\u0001", "(?:")
    .replaceAll("\u0002", ")")
    .replace(/"([^"]*)"| /g, (_, text: string | undefined) => (text ?? "").replace(".", "\\."));
  return new RegExp(`^(?:${pattern})$`);
}

const whole = fc.integer({ min: -1200, max: 1200 });
const decimal = fc.integer({ min: -4000, max: 4000 }).map((value) => value / 100);

describe("a range of whole numbers", () => {
  it("holds exactly those within its bounds", () =>
    fc.assert(
      fc.property(whole, whole, whole, fc.boolean(), fc.boolean(), (a, b, value, openLow, openHigh) => {
        const bounds = {
          [openLow ? "exclusiveMinimum" : "minimum"]: a,
          [openHigh ? "exclusiveMaximum" : "maximum"]: b,
        };
        const isWithin = (openLow ? value > a : value >= a) && (openHigh ? value < b : value <= b);
        expect(toRegExp(integerRange(bounds)).test(String(value))).toBe(isWithin);
      }),
      { numRuns: 3000 },
    ));

  it("goes to 15 digits where a bound is missing", () => {
    const positive = toRegExp(integerRange({ minimum: 1 }));
    for (const text of ["1", "10", "999999999999999"]) expect(positive.test(text)).toBe(true);
    for (const text of ["0", "-1", "01", "1000000000000000"]) expect(positive.test(text)).toBe(false);
    expect(integerRange({ minimum: 1.2, maximum: 1.8 })).toBeUndefined();
  });
});

describe("a range of decimal numbers", () => {
  it("holds exactly those within its bounds, as JavaScript writes them", () =>
    fc.assert(
      fc.property(decimal, decimal, decimal, fc.boolean(), fc.boolean(), (a, b, value, openLow, openHigh) => {
        const bounds = {
          [openLow ? "exclusiveMinimum" : "minimum"]: a,
          [openHigh ? "exclusiveMaximum" : "maximum"]: b,
        };
        const isWithin = (openLow ? value > a : value >= a) && (openHigh ? value < b : value <= b);
        expect([value, toRegExp(decimalRange(bounds)).test(String(value))]).toEqual([value, isWithin]);
      }),
      { numRuns: 5000 },
    ));

  it("takes nothing that a double rounds to a bound that does not count", () => {
    const below = toRegExp(decimalRange({ minimum: 0, exclusiveMaximum: 1e11 }));
    expect(below.test("99999999999.999")).toBe(true);
    expect(below.test("99999999999.999999")).toBe(false); // read as 1e11
    expect(decimalRange({ minimum: -7, exclusiveMaximum: -1.9999999999999998 })).toBeUndefined();
    expect(toRegExp(decimalRange({ exclusiveMaximum: 1e16 })).test("999999999999999")).toBe(true);
  });

  it("has bounds as small as a double holds", () => {
    const range = toRegExp(decimalRange({ minimum: 1e-25, exclusiveMaximum: 1 }));
    expect(range.test("0")).toBe(false);
    expect(range.test("0.0000000000000000000000001")).toBe(true);
    expect(toRegExp(decimalRange({ exclusiveMinimum: 1e-25, maximum: 1 })).test("0.5")).toBe(true);
  });

  it("is empty where only longer numbers lie within the bounds", () => {
    const longer: NumberBounds[] = [{ minimum: 1e16 }, { maximum: -1e16 }, { exclusiveMinimum: 1e15 - 1 }];
    for (const bounds of longer)
      expect([decimalRange(bounds), integerRange(bounds)]).toEqual([undefined, undefined]);
    expect(toRegExp(decimalRange({ minimum: -1e16, maximum: 1e16 })).test("-999999999999999")).toBe(true);
  });

  it("holds nothing outside, however it is written", () =>
    fc.assert(
      fc.property(
        decimal,
        decimal,
        fc.stringMatching(/^-?(?:0|[1-9][0-9]?)(?:\.[0-9]{1,6})?$/),
        (a, b, text) => {
          if (toRegExp(decimalRange({ minimum: a, exclusiveMaximum: b })).test(text)) {
            expect(Number(text)).toBeGreaterThanOrEqual(a);
            expect(Number(text)).toBeLessThan(b);
          }
        },
      ),
      { numRuns: 5000 },
    ));
});
