// The script of the dedicated worker: connects the host with this worker's surroundings.
import { createBrowserServices } from "./browser-services.ts";
import { createHost } from "./host.ts";
import { serve } from "./serve.ts";

const host = createHost(createBrowserServices(globalThis));

// The page hears nothing of an unhandled rejection in a worker, and little of an error: both are sent to it.
globalThis.addEventListener("error", (event) => {
  event.preventDefault();
  host.reportFault(event.error ?? event.message);
});
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  host.reportFault(event.reason);
});

// The DOM types that this project compiles with describe a window; here `postMessage` is a worker's.
serve(host.api, globalThis as unknown as Parameters<typeof serve>[1]);
