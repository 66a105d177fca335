import { expect, test } from "vitest";
import { createMemoryRateCounter } from "../../src/stores/rate-counters/memory.ts";
import { describeRateCounter } from "./rate-counter.ts";

describeRateCounter("memory", async () => {
  let nowMs = 0;
  return {
    counter: createMemoryRateCounter({ maxKeys: 100, nowMs: () => nowMs }),
    pass: async (ms) => {
      nowMs += ms;
    },
  };
});

test("the memory counter forgets the callers that were silent longest, and only those", async () => {
  const counter = createMemoryRateCounter({ maxKeys: 3, nowMs: () => 0 });
  for (const key of ["a", "b", "c", "a", "d"]) await counter.hit(key, 1000);
  expect((await counter.hit("a", 1000)).count).toBe(3);
  expect((await counter.hit("b", 1000)).count).toBe(1);
});
