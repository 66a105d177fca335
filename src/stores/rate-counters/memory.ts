import { LRUCache } from "lru-cache";
import type { RateCounter } from "../../core/ports/rate-counter.ts";

export interface MemoryRateCounterOptions {
  /** How many callers are remembered; beyond that the longest silent one is forgotten. Bounds memory. */
  readonly maxKeys: number;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

interface Window {
  count: number;
  endsMs: number;
}

/** Counts in this process alone: with several replicas each would grant the whole allowance. */
export function createMemoryRateCounter(options: MemoryRateCounterOptions): RateCounter {
  const windows = new LRUCache<string, Window>({ max: options.maxKeys });
  return {
    description: `memory, at most ${options.maxKeys} callers`,
    hit(key, windowMs) {
      const nowMs = options.nowMs();
      let window = windows.get(key);
      if (window === undefined || window.endsMs <= nowMs) {
        window = { count: 0, endsMs: nowMs + windowMs };
        windows.set(key, window);
      }
      window.count++;
      return { count: window.count, resetMs: window.endsMs - nowMs };
    },
    async close() {
      windows.clear();
    },
  };
}
