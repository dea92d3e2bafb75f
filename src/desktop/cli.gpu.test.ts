// The command line's results, against the engine and the references.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createEngine } from "../runtime/engine.ts";
import { fixture } from "../testing/engine.ts";
import { repositoryPath } from "../testing/reference.ts";
import { cli } from "../testing/terminal.ts";
import { openDawn } from "./dawn.ts";

const scratch = mkdtempSync(join(tmpdir(), "gpt-oss-webgpu-cli-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const adapter = process.env.TEST_ADAPTER === "auto" ? "auto" : "swiftshader";
const model = repositoryPath("fixtures/tiny-bf16-experts");
const { files, prompt } = fixture("tiny-bf16-experts", 0);
const common = ["--model", model, "--adapter", adapter, "--tokens", JSON.stringify(prompt.tokens)];

/** A copy of the model whose config names another stop token. */
function modelStoppingAt(token: number): string {
  const copy = join(scratch, "stopping");
  cpSync(model, copy, { recursive: true });
  const config = JSON.parse(readFileSync(join(model, "config.json"), "utf8"));
  writeFileSync(join(copy, "config.json"), JSON.stringify({ ...config, eos_token_id: token }));
  return copy;
}

describe("logits", () => {
  it("writes what the engine computes, byte for byte, on either path, and says nothing", async () => {
    const engine = await createEngine(await openDawn(adapter));
    await engine.load(files);
    for (const path of ["prefill", "decode"] as const) {
      const out = join(scratch, `${path}.f32`);
      const outcome = await cli(
        "logits",
        ...common,
        "--out",
        out,
        ...(path === "decode" ? ["--decode"] : []),
      );
      expect(outcome).toEqual({ code: 0, out: "", err: "" });
      const expected = await engine.logits(prompt.tokens, path);
      expect(expected.length).toBe(prompt.tokens.length * 256);
      expect(Buffer.compare(readFileSync(out), Buffer.from(expected.buffer))).toBe(0);
    }
    engine.dispose();
  });

  it("writes nothing where the tokens do not fit the context", async () => {
    const out = join(scratch, "overflow.f32");
    const outcome = await cli("logits", ...common, "--out", out, "--context-length", "4");
    expect(outcome).toMatchObject({ code: 2, out: "", err: expect.stringMatching(/context holds 4.*\n$/) });
    expect(existsSync(out)).toBe(false);
  });
});

describe("generate", () => {
  const third = prompt.greedy[2] ?? -1;
  const stopping = modelStoppingAt(third);
  const args = (...more: string[]) => [
    ...["generate", ...common, "--model", stopping, "--max-new-tokens", "8", "--temperature", "0", ...more],
  ];

  it("prints one JSON object, and ends at a stop token", async () => {
    const { code, out, err } = await cli(...args("--json"));
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^\{"tokens":\[.*\],"finish_reason":"stop","stats":\{.*\}\}\n$/);
    const end = prompt.greedy.indexOf(third) + 1;
    expect(JSON.parse(out)).toEqual({
      tokens: prompt.greedy.slice(0, end),
      finish_reason: "stop",
      stats: {
        promptTokens: prompt.tokens.length,
        newTokens: end,
        timeToFirstTokenMs: expect.any(Number),
        prefillTokensPerSecond: expect.any(Number),
        decodeTokensPerSecond: expect.any(Number),
      },
    });
  });

  it("goes on with --no-stop", async () => {
    const { code, out } = await cli(...args("--json", "--no-stop"));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ tokens: prompt.greedy.slice(0, 8), finish_reason: "length" });
  });
});

describe("chat", () => {
  it("prints the answer alone on stdout, its reasoning on stderr", async () => {
    const { code, out, err } = await cli(
      ...["chat", "--model", "nano", "--adapter", adapter, "--effort", "low", "--date", "2026-01-01"],
      ...["--max-new-tokens", "200", "What is 2 + 3?"],
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^.*\S.*\n$/s);
    expect(out).not.toMatch(/<\||\|>|analysis|final/);
    expect(err.trim()).not.toBe("");
    expect(out).not.toContain(err.trim());
  });
});
