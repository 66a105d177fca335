import type { Clock } from "../core/ports/clock.ts";

/** The machine's time. */
export function createSystemClock(): Clock {
  return {
    nowMs: () => performance.now(),
    epochMs: () => Date.now(),
    setTimer(delayMs, callback) {
      const timer = setTimeout(callback, delayMs);
      timer.unref();
      return () => clearTimeout(timer);
    },
    // Runs after the poll phase, in which all sockets that have data are read.
    defer: (callback) => {
      setImmediate(callback);
    },
  };
}
