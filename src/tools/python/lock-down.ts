// Takes from a worker what code in it could reach the outside with, once Pyodide is loaded. Python is kept from
// JavaScript (`run-cell.ts`), but a determined program can find a proxy of some JavaScript object, so JavaScript
// itself must hold nothing that leads out: no network, no storage, no other workers, no code from text.

/** Globals that stay, besides the language's own. All else goes: a list of what is dangerous would age. */
const kept = new Set(
  "globalThis self name isSecureContext origin crossOriginIsolated setTimeout clearTimeout setInterval clearInterval queueMicrotask structuredClone atob btoa console performance crypto Crypto CryptoKey SubtleCrypto Performance TextDecoder TextEncoder DOMException AbortController AbortSignal Event EventTarget MessageChannel MessagePort MessageEvent ErrorEvent PromiseRejectionEvent Headers URL URLSearchParams WebAssembly addEventListener removeEventListener dispatchEvent onerror onunhandledrejection onrejectionhandled reportError WorkerGlobalScope DedicatedWorkerGlobalScope".split(
    " ",
  ),
);

/** The language's own globals. */
const language = new Set(
  "Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError SuppressedError JSON Math Intl ArrayBuffer SharedArrayBuffer Atomics Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array BigUint64Array BigInt64Array Uint8ClampedArray Float16Array Float32Array Float64Array DataView Map BigInt Set Iterator WeakMap WeakSet WeakRef Proxy Reflect FinalizationRegistry DisposableStack AsyncDisposableStack Temporal decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN".split(
    " ",
  ),
);

/** Where code could still get out: none of these may be left. */
const dangerous = [
  "fetch",
  "XMLHttpRequest",
  "WebSocket",
  "EventSource",
  "importScripts",
  "Worker",
  "indexedDB",
  "caches",
  "postMessage",
];

/**
 * Empties a worker's global scope of all that leads out of it, and makes code from text an error. Cannot be undone.
 * The functions that the worker itself needs later must be at hand before.
 * @returns the names that could not be removed and should have been
 */
export function lockDown(scope: object): string[] {
  for (
    let object: object | null = scope;
    object !== null && object !== Object.prototype;
    object = Object.getPrototypeOf(object)
  ) {
    for (const name of Object.getOwnPropertyNames(object)) {
      if (!kept.has(name) && !language.has(name) && name !== "constructor") remove(object, name);
    }
  }
  forbidCodeFromText(scope);
  return dangerous.filter((name) => Reflect.get(scope, name) !== undefined);
}

function remove(object: object, name: string): void {
  if (Reflect.deleteProperty(object, name)) return;
  Reflect.defineProperty(object, name, { value: undefined, writable: false, configurable: false });
}

function forbidCodeFromText(scope: object): void {
  // A function with a prototype, so that `instanceof Function` still holds.
  const refuse = function refuse(): never {
    throw new TypeError("Code from text is off here.");
  };
  refuse.prototype = Function.prototype;
  const functions = [() => {}, async () => {}, function* () {}, async function* () {}];
  for (const example of functions) {
    Object.defineProperty(example.constructor.prototype, "constructor", {
      value: refuse,
      writable: false,
      configurable: false,
    });
  }
  const fixed = (name: string, value: unknown) =>
    Object.defineProperty(scope, name, { value, writable: false, configurable: false });
  fixed("Function", refuse);
  fixed("eval", refuse);
  // Timers take text, too.
  for (const name of ["setTimeout", "setInterval"] as const) {
    const timer: typeof setTimeout = Reflect.get(scope, name).bind(scope);
    fixed(name, (callback: unknown, ...rest: [number?, ...unknown[]]) => {
      if (typeof callback !== "function") return refuse();
      return timer(callback as () => void, ...rest);
    });
  }
}

/** Makes WebAssembly memories refuse to grow beyond a limit: what asks for more runs out of memory. */
export function limitMemory(limitBytes: number): void {
  const { prototype } = WebAssembly.Memory;
  const { grow } = prototype;
  prototype.grow = function (this: WebAssembly.Memory, numPages: number): number {
    if (this.buffer.byteLength + numPages * 65_536 > limitBytes)
      throw new RangeError("The memory limit is reached.");
    return grow.call(this, numPages);
  };
}
