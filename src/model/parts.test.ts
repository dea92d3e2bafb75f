import { describe, expect, it } from "vitest";
import { splitEvenly } from "./parts.ts";

const mib = 1024 * 1024;

describe("splitEvenly", () => {
  it("leaves whole what fits, to the byte", () => {
    expect(splitEvenly({ count: 7, bytesEach: 10, limitBytes: 70 })).toEqual([{ first: 0, count: 7 }]);
    expect(splitEvenly({ count: 7, bytesEach: 10, limitBytes: 69 })).toEqual([
      { first: 0, count: 4 },
      { first: 4, count: 3 },
    ]);
  });

  it("cuts the experts of the published shapes for the limits that every adapter has", () => {
    const gateUp = (numExperts: number) =>
      splitEvenly({ count: numExperts, bytesEach: 5760 * 90 * 16, limitBytes: 128 * mib });
    expect(gateUp(32).map(({ count }) => count)).toEqual([16, 16]);
    expect(gateUp(128)).toHaveLength(8);
  });

  it("cuts the vocabulary at multiples", () => {
    const parts = splitEvenly({ count: 201_088, bytesEach: 5760, limitBytes: 128 * mib, multiple: 64 });
    expect(parts).toHaveLength(9);
    expect(parts.every(({ first, count }) => first % 64 === 0 && count * 5760 <= 128 * mib)).toBe(true);
    expect(parts.reduce((sum, { count }) => sum + count, 0)).toBe(201_088);
  });

  it("covers everything once, within the limit, for any sizes", () => {
    for (let seed = 1; seed < 2000; seed += 1) {
      const count = 1 + ((seed * 7919) % 300);
      const bytesEach = 1 + ((seed * 104_729) % 97);
      const multiple = 1 + (seed % 5);
      const limitBytes = bytesEach * multiple + ((seed * 31) % 2000);
      const parts = splitEvenly({ count, bytesEach, limitBytes, multiple });
      let next = 0;
      for (const { first, count: size } of parts) {
        expect([first, size > 0, size * bytesEach <= limitBytes, first % multiple]).toEqual([
          next,
          true,
          true,
          0,
        ]);
        next += size;
      }
      expect(next).toBe(count);
    }
  });

  it("gives the smallest parts where none fits", () => {
    expect(splitEvenly({ count: 3, bytesEach: 10, limitBytes: 4 })).toHaveLength(3);
  });
});
