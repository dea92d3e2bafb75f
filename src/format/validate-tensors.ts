import { expectedTensors } from "./expected-tensors.ts";
import { invalid } from "./invalid.ts";
import { layerOfTensor } from "./tensor-names.ts";
import type { ExpectedTensor, ModelConfig, TensorEntry } from "./types.ts";

/** Problems spelled out in one message; the rest are counted. */
const maxListed = 5;

/**
 * Compares the tensors of a checkpoint with the table that its config implies.
 * @returns the tensors by name
 * @throws checkpoint-invalid naming each missing, unexpected, misshapen or mistyped tensor
 */
export function validateTensors(
  config: ModelConfig,
  entries: readonly TensorEntry[],
): ReadonlyMap<string, TensorEntry> {
  const expected = expectedTensors(config);
  const found = new Map<string, TensorEntry>();
  for (const entry of entries) {
    const other = found.get(entry.name);
    if (other !== undefined) {
      throw invalid(`Tensor ${entry.name} is in ${other.file} and again in ${entry.file}.`, {
        tensor: entry.name,
      });
    }
    found.set(entry.name, entry);
  }
  const missing = [...expected.values()].filter(({ name }) => !found.has(name));
  const problems = [
    ...[...expected.values()].flatMap((tensor) => wrongTensor(tensor, found.get(tensor.name))),
    ...missingTensors(expected, missing),
    ...extraTensors(
      config,
      [...found.values()].filter(({ name }) => !expected.has(name)),
    ),
  ];
  if (problems.length === 0) return found;
  throw invalid(summary(problems), {
    tensors: problems.slice(0, maxListed).map(({ subject }) => subject),
    numProblems: problems.length,
  });
}

interface Problem {
  /** A tensor name, or `model.layers.N` for a layer that is missing whole. */
  readonly subject: string;
  readonly text: string;
}

function wrongTensor(tensor: ExpectedTensor, entry: TensorEntry | undefined): Problem[] {
  if (entry === undefined || describe(entry) === describe(tensor)) return [];
  return [
    {
      subject: tensor.name,
      text: `${tensor.name} is ${describe(entry)} in ${entry.file}, expected ${describe(tensor)}`,
    },
  ];
}

function missingTensors(
  expected: ReadonlyMap<string, ExpectedTensor>,
  missing: readonly ExpectedTensor[],
): Problem[] {
  const perLayer = countByLayer([...expected.keys()]);
  const missingPerLayer = countByLayer(missing.map(({ name }) => name));
  const wholeLayers = [...missingPerLayer].filter(([layer, count]) => perLayer.get(layer) === count);
  const whole = new Set(wholeLayers.map(([layer]) => layer));
  const single = missing.filter(({ name }) => !whole.has(layerOfTensor(name) ?? -1));
  return [
    ...[...whole].map((layer) => ({
      subject: `model.layers.${layer}`,
      text: `layer ${layer} is missing, all ${perLayer.get(layer)} tensors of it`,
    })),
    ...single.map((tensor) => ({
      subject: tensor.name,
      text: `${tensor.name} is missing, expected ${describe(tensor)}`,
    })),
  ];
}

function extraTensors(config: ModelConfig, extra: readonly TensorEntry[]): Problem[] {
  return extra.map((entry) => {
    const layer = layerOfTensor(entry.name);
    const beyond = layer !== undefined && layer >= config.numLayers;
    const why = beyond ? `config.json has ${config.numLayers} layers` : "no gpt-oss model has it";
    return {
      subject: entry.name,
      text: `${entry.name} (${describe(entry)} in ${entry.file}) is unexpected: ${why}`,
    };
  });
}

function countByLayer(names: readonly string[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const name of names) {
    const layer = layerOfTensor(name);
    if (layer !== undefined) counts.set(layer, (counts.get(layer) ?? 0) + 1);
  }
  return counts;
}

function summary(problems: readonly Problem[]): string {
  const listed = problems.slice(0, maxListed).map(({ text }) => text);
  const rest = problems.length - listed.length;
  const more = rest > 0 ? `; and ${rest} more` : "";
  return `The checkpoint's tensors do not match its config.json: ${listed.join("; ")}${more}.`;
}

function describe({ dtype, shape }: Pick<ExpectedTensor, "dtype" | "shape">): string {
  return `${dtype} [${shape.join(", ")}]`;
}
