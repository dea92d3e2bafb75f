import { expect, it } from "vitest";
import { bytesText, percent, perSecond } from "./amounts.ts";

it.each([
  [0, "0 B/s"],
  [0.5, "0.500 B/s"],
  [740, "740 B/s"],
  [4_210, "4.21 kB/s"],
  [999_400, "999 kB/s"],
  [999_600, "1.00 MB/s"],
  [31_250_000, "31.3 MB/s"],
  [3.5e11, "350 GB/s"],
  [4.1e12, "4.10 TB/s"],
  [2.5e15, "2.5 PB/s"],
])("%d bytes a second are %s", (value, text) => expect(perSecond(value, "B")).toBe(text));

it.each([
  [0, "0 B"],
  [1_536, "1.536 kB"],
  [15_204_352, "15.20 MB"],
  [13.761e9, "13.76 GB"],
  [999_960_000, "1.000 GB"],
])("%d bytes are %s", (value, text) => expect(bytesText(value)).toBe(text));

it.each([
  [0, "0 %"],
  [0.000002, "<0.001 %"],
  [0.00042, "0.042 %"],
  [0.0042, "0.42 %"],
  [0.3128, "31.3 %"],
  [1, "100.0 %"],
  [1.25, "125.0 %"],
])("a share of %d is %s", (value, text) => expect(percent(value)).toBe(text));
