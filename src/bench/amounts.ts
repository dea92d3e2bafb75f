const prefixes = ["", "k", "M", "G", "T"] as const;

/** An amount with the decimal prefix that leaves 1 to 999 before the point; under 1 it stays as it is. */
function amount(value: number, unit: string, significantDigits: number): string {
  if (value === 0) return `0 ${unit}`;
  let scaled = value;
  for (const prefix of prefixes) {
    const text = scaled.toPrecision(significantDigits); // rounded first: 999.96 MB are 1.000 GB
    if (Number(text) < 1000) return `${text} ${prefix}${unit}`;
    scaled /= 1000;
  }
  return `${scaled.toFixed(1)} P${unit}`;
}

/** A rate, of which more digits would be noise: 1.28 TB/s, 350 GB/s, 4.21 MFLOP/s. */
export const perSecond = (value: number, unit: string): string => `${amount(value, unit, 3)}/s`;

/** A size: 13.76 GB, 200.0 MB. */
export const bytesText = (bytes: number): string => amount(bytes, "B", 4);

const leastPercent = 0.001;

/** A share: 31.3 %; under one percent two digits that say something: 0.042 %. */
export function percent(share: number): string {
  const value = 100 * share;
  if (value === 0) return "0 %";
  if (value < leastPercent) return `<${leastPercent} %`;
  return `${value < 1 ? value.toPrecision(2) : value.toFixed(1)} %`;
}
