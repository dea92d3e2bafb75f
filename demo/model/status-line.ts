import { byId } from "../dom.ts";
import { formatBytes } from "../format.ts";
import type { ModelStatus } from "../session.ts";
import { adapterName } from "./capability-view.ts";

/** Shows the model's state in the head of the page, and what is known of it in the head of its panel. */
export function createStatusLine(): (status: ModelStatus) => void {
  const adapter = byId("adapter", HTMLSpanElement);
  const line = byId("model-status", HTMLParagraphElement);
  return (status) => {
    line.dataset.state = status.state;
    line.textContent = statusText(status);
    line.title = line.textContent; // on a narrow screen it is cut
    adapter.textContent = status.state === "ready" ? describeInfo(status) : "";
  };
}

function statusText(status: ModelStatus): string {
  switch (status.state) {
    case "idle":
      return "No model loaded";
    case "loading":
      return `Loading ${status.choice.name}…`;
    case "ready":
      return `${status.choice.name} ready`;
    case "error":
      return `${status.choice.name} is not loaded`;
    default:
      return status satisfies never;
  }
}

function describeInfo({ info }: Extract<ModelStatus, { readonly state: "ready" }>): string {
  return [
    adapterName(info.adapter),
    `${info.variant} kernels`,
    `${formatBytes(info.gpuBytes)} on the GPU`,
    `context of ${info.contextLength} tokens`,
    `KV cache ${info.kvFormat}`,
    `dense weights ${info.dense}`,
  ].join(" · ");
}
