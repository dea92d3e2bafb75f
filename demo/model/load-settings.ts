import { byId } from "../dom.ts";
import type { LoadSettings } from "../model-choices.ts";

/** What the fields under "Settings" say. */
export interface SettingsForm {
  settings(): LoadSettings;
  /** What the user knows of the GPU's memory. */
  gpuMemoryBytes(): number | undefined;
  onChange(listener: () => void): void;
}

export function createSettingsForm(): SettingsForm {
  const form = byId("load-settings", HTMLDetailsElement);
  const context = byId("context-length", HTMLInputElement);
  const kv = byId("kv-format", HTMLSelectElement);
  const dense = byId("dense", HTMLSelectElement);
  const store = byId("store", HTMLSelectElement);
  const memory = byId("gpu-memory", HTMLInputElement);
  return {
    settings: () =>
      readSettings({
        contextLength: context.value,
        kvFormat: kv.value,
        dense: dense.value,
        store: store.value,
      }),
    gpuMemoryBytes: () => readGigabytes(memory.value),
    onChange: (listener) => form.addEventListener("change", listener),
  };
}

/** The fields' values as settings; what is empty or malformed is left to the engine. */
export function readSettings(values: Readonly<Record<keyof LoadSettings, string>>): LoadSettings {
  const contextLength = Number(values.contextLength);
  const kvFormat = pick(["f32", "f16"], values.kvFormat);
  const dense = pick(["bf16", "int8"], values.dense);
  const store = pick(["indexeddb", "opfs", "auto"], values.store);
  return {
    ...(Number.isInteger(contextLength) && contextLength > 0 && { contextLength }),
    ...(kvFormat !== undefined && { kvFormat }),
    ...(dense !== undefined && { dense }),
    ...(store !== undefined && { store }),
  };
}

/** GB as bytes; undefined where it is no positive number. */
export function readGigabytes(text: string): number | undefined {
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) && value > 0 ? value * 1e9 : undefined;
}

function pick<const T extends string>(options: readonly T[], value: string): T | undefined {
  return options.find((option) => option === value);
}
