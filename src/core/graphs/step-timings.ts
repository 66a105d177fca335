import type { StageTimings } from "../inference/result.ts";

export const NO_TIME: StageTimings = { cacheMs: 0, tokenizeMs: 0, queueMs: 0, inferMs: 0 };

/** What is done one after the other takes as long as both. */
export function addTimings(one: StageTimings, other: StageTimings): StageTimings {
  return combine(one, other, (a, b) => a + b);
}

/** What is done at the same time takes as long as the longest. */
export function longestTimings(all: readonly StageTimings[]): StageTimings {
  return all.reduce((one, other) => combine(one, other, Math.max), NO_TIME);
}

function combine(
  one: StageTimings,
  other: StageTimings,
  of: (a: number, b: number) => number,
): StageTimings {
  return {
    cacheMs: of(one.cacheMs, other.cacheMs),
    tokenizeMs: of(one.tokenizeMs, other.tokenizeMs),
    queueMs: of(one.queueMs, other.queueMs),
    inferMs: of(one.inferMs, other.inferMs),
  };
}
