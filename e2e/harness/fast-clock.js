// Timers of 20 s and more run 60 times as fast: what waits half a minute for a silent server waits half a second.
const { setTimeout } = globalThis;
globalThis.setTimeout = (callback, ms = 0, ...rest) =>
  setTimeout(callback, ms < 20_000 ? ms : ms / 60, ...rest);
