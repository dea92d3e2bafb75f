import { expectedTensors } from "./expected-tensors.ts";
import { type CheckpointManifest, dtypeBytes, type ModelConfig, type TensorEntry } from "./types.ts";

/** What a checkpoint of this config must be, as if all its tensors lay in one file: for asking what it would take. */
export function manifestOfConfig(config: ModelConfig): CheckpointManifest {
  const file = "model.safetensors";
  let startBytes = 0;
  const tensors = new Map<string, TensorEntry>();
  for (const tensor of expectedTensors(config).values()) {
    const endBytes =
      startBytes + tensor.shape.reduce((product, size) => product * size, dtypeBytes[tensor.dtype]);
    tensors.set(tensor.name, { ...tensor, file, startBytes, endBytes });
    startBytes = endBytes;
  }
  return { config, files: [{ name: file, sizeBytes: startBytes }], tensors };
}
