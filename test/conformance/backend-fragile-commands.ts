/** First ids to which the worker in `backend-fragile-worker.ts` reacts; any other text `[n]` gives the row `[n]`. */
export const FRAGILE = {
  exit: 100,
  exitOnce: 101,
  throwUncaught: 102,
  fail: 103,
  tellThread: 104,
  exitLater: 105,
  hang: 106,
  hangOnce: 107,
  slow: 108,
} as const;

/** How long its slow runs take. */
export const SLOW_MS = 60;

/** Names of files by which threads of that worker know of each other. */
export const MARKERS = {
  crashed: "crashed",
  hung: "hung",
  /** From then on, hung runs end. */
  released: "released",
  refusesToLoad: "refuses-to-load",
  /** While it exists, only the first thread gets to load. */
  loadsLater: "loads-later",
  loaded: "loaded",
} as const;
