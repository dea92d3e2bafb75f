// The library's worker with a fast clock.
import "./fast-clock.js";
import "/lib/worker.js";
