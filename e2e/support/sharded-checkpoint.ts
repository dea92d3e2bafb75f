import { readFileSync } from "node:fs";
import { type RangeServer, startRangeServer } from "../../src/testing/range-server.ts";
import { repositoryPath } from "../../src/testing/reference.ts";

/** A checkpoint on a server of its own, in many small shards: each is one chunk. */
export interface ShardedCheckpoint {
  readonly server: RangeServer;
  /** Names of the shards, in order. */
  readonly shards: readonly string[];
  readonly totalBytes: number;
  /** How often each shard was asked for whole, most often first. */
  timesFetched(): number[];
}

interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** The fixture tiny-mxfp4 with its tensors spread over `numShards` files. */
export async function serveSharded(numShards: number): Promise<ShardedCheckpoint> {
  const whole = readFileSync(repositoryPath("fixtures/tiny-mxfp4/model.safetensors"));
  const headerBytes = Number(whole.readBigUInt64LE(0));
  const header = JSON.parse(whole.toString("utf8", 8, 8 + headerBytes)) as Record<string, Tensor>;
  const tensors = Object.entries(header).filter(([name]) => name !== "__metadata__");
  const server = await startRangeServer({ folder: repositoryPath("fixtures/tiny-mxfp4") });
  const weightMap: Record<string, string> = {};
  const shards: string[] = [];
  let totalBytes = 0;
  for (let shard = 0; shard < numShards; shard += 1) {
    const own = tensors.filter((_, i) => i % numShards === shard);
    const number = (n: number) => String(n).padStart(5, "0");
    const name = `model-${number(shard + 1)}-of-${number(numShards)}.safetensors`;
    const bytes = shardBytes(own, whole.subarray(8 + headerBytes));
    for (const [tensor] of own) weightMap[tensor] = name;
    shards.push(name);
    totalBytes += bytes.byteLength;
    server.files.set(name, bytes);
  }
  server.files.set("model.safetensors", undefined);
  server.files.set(
    "model.safetensors.index.json",
    JSON.stringify({ metadata: { total_size: totalBytes }, weight_map: weightMap }),
  );
  return {
    server,
    shards,
    totalBytes,
    timesFetched: () =>
      shards
        .map((shard) => {
          const end = server.files.get(shard)?.length ?? 0;
          // Headers are read by themselves (in ranges of at most 64 KiB) before any weights.
          return server.requests.filter(
            ({ file, range, status }) => file === shard && status === 206 && range === `bytes=0-${end - 1}`,
          ).length;
        })
        .sort((a, b) => b - a),
  };
}

const shortestShardBytes = 70_000;

function shardBytes(tensors: readonly (readonly [string, Tensor])[], data: Buffer): Buffer {
  const header: Record<string, Tensor> = {};
  const parts: Buffer[] = [];
  let at = 0;
  for (const [name, { dtype, shape, data_offsets }] of tensors) {
    const bytes = data.subarray(...data_offsets);
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.byteLength] };
    parts.push(bytes);
    at += bytes.byteLength;
  }
  // Spaces may follow the header. With them every shard is longer than the first read of its header, so that a request
  // for all of a shard is always one for its chunk.
  const json = JSON.stringify(header);
  const text = Buffer.from(json.padEnd(shortestShardBytes - 8 - at));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.byteLength));
  return Buffer.concat([prefix, text, ...parts]);
}
