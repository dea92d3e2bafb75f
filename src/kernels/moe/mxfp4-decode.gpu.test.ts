import { describe, expect, it } from "vitest";
import type { Mxfp4Form } from "../../gpu/kernel.ts";
import { testGpu } from "../../testing/gpu-device.ts";
import { runKernel } from "../../testing/run-kernel.ts";
import { decodeMxfp4Reference } from "./mxfp4.reference.ts";
import { mxfp4Decode, mxfp4DecodeGrid } from "./mxfp4-decode.ts";

const smallestNormal = 2 ** -126;
const largest = 3.4028234663852886e38;

// The tests' adapters keep f16 subnormals: SwiftShader, NVIDIA.
const forms: readonly Mxfp4Form[] = ["bits", "half"];

async function decode(blocks: Uint8Array, scales: Uint8Array, mxfp4: Mxfp4Form): Promise<Float32Array> {
  const { values } = await runKernel(await testGpu(), {
    kernel: mxfp4Decode,
    shape: { numBlocks: scales.length },
    variant: "workgroup",
    mxfp4,
    inputs: { blocks, scales },
    outputs: { values: scales.length * 32 * 4 },
    grid: mxfp4DecodeGrid(scales.length),
  });
  return new Float32Array(values);
}

describe("mxfp4 reference", () => {
  it("puts the low half of a byte first", () => {
    const block = new Uint8Array(16);
    block[0] = 0x72; // 1, then 6
    block[15] = 0xf9; // -0.5, then -6
    const values = decodeMxfp4Reference(block, Uint8Array.of(128));
    expect([values[0], values[1], values[30], values[31]]).toEqual([2, 12, -1, -12]);
  });
});

describe.each(forms)("mxfp4-decode (%s)", (form) => {
  it("is exact for every code in every place under every scale", async () => {
    // Block n holds code (i + n) % 16 at place i; sixteen blocks a scale put each code in each place.
    const numBlocks = 256 * 16;
    const scales = Uint8Array.from({ length: numBlocks }, (_, n) => n >> 4);
    const blocks = Uint8Array.from({ length: numBlocks * 16 }, (_, index) => {
      const n = index >> 4;
      const first = 2 * (index & 15);
      return ((first + n) & 15) | (((first + 1 + n) & 15) << 4);
    });
    const expected = decodeMxfp4Reference(blocks, scales);
    const got = await decode(blocks, scales, form);
    const wrong: string[] = [];
    let compared = 0;
    expected.forEach((want, i) => {
      const size = Math.abs(want);
      if (size > largest || (size > 0 && size < smallestNormal)) return;
      compared += 1;
      // `+ 0` makes no difference of -0 and 0.
      if ((got[i] ?? Number.NaN) + 0 !== want + 0)
        wrong.push(`scale ${scales[i >> 5]}, element ${i}: ${got[i]} for ${want}`);
    });
    expect(wrong).toEqual([]);
    // Codes that f32 cannot hold: subnormal at scales 0 (three) and 1 (one), too large at 253, 254 and 255.
    const outside = 3 + 1 + 2 + 4 + 6;
    const placesPerScale = 2 * 32;
    expect(compared).toBe(numBlocks * 32 - outside * placesPerScale);
  });

  it("decodes blocks beyond the first workgroup and leaves none out", async () => {
    const numBlocks = 131;
    const scales = Uint8Array.from({ length: numBlocks }, (_, n) => 100 + (n % 50));
    const blocks = Uint8Array.from({ length: numBlocks * 16 }, (_, i) => (i * 37 + 11) & 255);
    const expected = Float32Array.from(decodeMxfp4Reference(blocks, scales), (value) => value + 0);
    expect((await decode(blocks, scales, form)).map((value) => value + 0)).toEqual(expected);
  });
});
