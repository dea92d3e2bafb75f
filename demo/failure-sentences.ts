import type { EngineError, ErrorCode } from "../src/index.ts";

/** A failure for people: what happened, what to do. The engine's own message goes below, for reports. */
export interface FailureSentence {
  readonly what: string;
  readonly advice: string;
  /** The button that may help; undefined where trying again cannot. */
  readonly action: "retry" | "reload" | undefined;
}

const sentences: Readonly<Record<ErrorCode, FailureSentence>> = {
  "webgpu-unavailable": {
    what: "This browser has no WebGPU.",
    advice:
      "Use a current Chrome or Edge (134 or newer) or another browser with WebGPU, and open the page over https or on localhost.",
    action: undefined,
  },
  "adapter-unavailable": {
    what: "WebGPU found no graphics adapter it may use.",
    advice:
      "Turn on hardware acceleration in the browser's settings, update the graphics driver, then restart the browser.",
    action: "retry",
  },
  "limit-exceeded": {
    what: "This model is too large for this graphics adapter.",
    advice: "Choose a smaller model, or a machine whose graphics card has more memory.",
    action: undefined,
  },
  "out-of-memory": {
    what: "The graphics memory is full.",
    advice:
      "Close other tabs and programs that use the graphics card, then try again, or choose a smaller model.",
    action: "retry",
  },
  "device-lost": {
    what: "The graphics device stopped working.",
    advice:
      "Try again: the model is loaded anew from this browser's storage. If it happens again, reload the page or update the graphics driver.",
    action: "retry",
  },
  "shader-compile": {
    what: "A GPU program did not compile on this adapter.",
    advice:
      "Update the browser and the graphics driver. If that does not help, please report the text below.",
    action: "retry",
  },
  "download-failed": {
    what: "The model could not be downloaded.",
    advice: "Check the network and the address, then try again. What has arrived already is kept.",
    action: "retry",
  },
  "storage-full": {
    what: "There is no room left in this browser's storage.",
    advice:
      "Free some disk space, or delete a stored model under “Model”, then try again. What has arrived already is kept.",
    action: "retry",
  },
  "storage-failed": {
    what: "This browser does not let the page store the model.",
    advice: "Leave private browsing, allow this page to store data, then try again.",
    action: "retry",
  },
  "checksum-mismatch": {
    what: "The stored model is damaged, and could not be repaired.",
    advice:
      "Connect to the network and try again: only the damaged part is fetched. Or delete the model under “Model”.",
    action: "retry",
  },
  "checkpoint-invalid": {
    what: "This checkpoint cannot be used.",
    advice: "Check that the address is that of an unchanged gpt-oss checkpoint in Hugging Face layout.",
    action: "retry",
  },
  "tokenizer-invalid": {
    what: "The tokenizer of this checkpoint cannot be used.",
    advice: "Check that tokenizer.json beside the weights is the one that the model was published with.",
    action: "retry",
  },
  "request-invalid": {
    what: "This request cannot be served.",
    advice: "Change what the text below names, then try again.",
    action: "retry",
  },
  "context-overflow": {
    what: "The conversation no longer fits into the model's context.",
    advice: "Start a new chat, or ask something shorter.",
    action: undefined,
  },
  "not-loaded": {
    what: "No model is loaded.",
    advice: "Try again: the model is loaded first.",
    action: "retry",
  },
  busy: {
    what: "The model is still at work.",
    advice: "Wait for the answer, or stop it first.",
    action: "retry",
  },
  aborted: {
    what: "That was stopped.",
    advice: "Try again whenever you like. What has arrived already is kept.",
    action: "retry",
  },
  disposed: {
    what: "The engine was shut down.",
    advice: "Reload the page to start it again.",
    action: "reload",
  },
  "worker-died": {
    what: "The worker that runs the model has ended.",
    advice:
      "Try again: a new one is started, and the model is loaded from this browser's storage. If it happens again, memory may be short: close other tabs.",
    action: "retry",
  },
  "grammar-failed": {
    what: "The part that keeps answers to a JSON schema failed.",
    advice: "Ask again; if it fails again, simplify the schema.",
    action: "retry",
  },
  internal: {
    what: "Something in the engine is broken.",
    advice: "Try again. If it happens again, please report the text below.",
    action: "retry",
  },
};

/** Failures that have another cause than their code's usual one, by `details.reason`. */
const reasons: ReadonlyMap<unknown, FailureSentence> = new Map([
  [
    "model-taken-over",
    {
      what: "Another tab took the model over.",
      advice: "Use it there, or try again: it is loaded here once that tab is closed.",
      action: "retry",
    },
  ],
  [
    "model-in-other-tab",
    {
      what: "Another tab of this site uses this model.",
      advice: "Close that tab, or stop what it does, then try again.",
      action: "retry",
    },
  ],
]);

/** The sentence for a failure; one about a checkpoint names the tensor or the file that is wrong. */
export function failureSentence({ code, details }: Pick<EngineError, "code" | "details">): FailureSentence {
  const sentence = reasons.get(details.reason) ?? sentences[code];
  if (code !== "checkpoint-invalid") return sentence;
  const tensors = Array.isArray(details.tensors) ? details.tensors : [details.tensor];
  const [first] = tensors;
  if (typeof first === "string") {
    const others = tensors.length > 1 ? `, and ${tensors.length - 1} more` : "";
    return { ...sentence, what: `This checkpoint cannot be used: the tensor ${first} is wrong${others}.` };
  }
  const { file } = details;
  if (typeof file === "string") {
    return { ...sentence, what: `This checkpoint cannot be used: ${file} is wrong or missing.` };
  }
  return sentence;
}
