// The Python tool's worker, which also answers the question what is left of its global scope.
import "/lib/python-worker.js";

const post = globalThis.postMessage.bind(globalThis);
globalThis.addEventListener("message", ({ data }) => {
  if (data.type !== "probe") return;
  const names = new Set();
  for (let at = globalThis; at !== null; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at))
      if (Reflect.get(globalThis, name) !== undefined) names.add(name);
  }
  post({ type: "probed", names: [...names] });
});
