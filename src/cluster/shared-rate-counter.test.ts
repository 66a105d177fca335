import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createMemoryRateCounter } from "../stores/rate-counters/memory.ts";
import type { RateDelta } from "./messages.ts";
import type { RateExchange } from "./shared-rate-counter.ts";
import { createSharedRateCounter } from "./shared-rate-counter.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** `count` processes that hear each other. */
function createProcesses(count: number) {
  const listeners: ((deltas: readonly RateDelta[]) => void)[] = [];
  return Array.from({ length: count }, (_, me) => {
    const exchange: RateExchange = {
      send: (deltas) => {
        for (const [other, listen] of listeners.entries()) if (other !== me) listen(deltas);
      },
      onDeltas: (listener) => {
        listeners[me] = listener;
      },
    };
    const nowMs = () => Date.now();
    const own = createMemoryRateCounter({ maxKeys: 10, nowMs });
    return createSharedRateCounter({ own, exchange, nowMs });
  });
}

describe("counters of several processes", () => {
  test("count what all of them saw, a tenth of a second later", async () => {
    const [one, two] = createProcesses(2);
    for (let i = 0; i < 5; i++) await one?.hit("caller", 60_000);
    expect(await two?.hit("caller", 60_000)).toMatchObject({ count: 1 });
    vi.advanceTimersByTime(100);
    expect(await two?.hit("caller", 60_000)).toMatchObject({ count: 2 + 5 });
    expect(await one?.hit("caller", 60_000)).toMatchObject({ count: 6 + 1 });
    expect(await one?.hit("somebody else", 60_000)).toMatchObject({ count: 1 });
  });

  test("start anew when the window ends", async () => {
    const [one, two] = createProcesses(2);
    await one?.hit("caller", 1000);
    vi.advanceTimersByTime(100);
    expect(await two?.hit("caller", 1000)).toMatchObject({ count: 2 });
    vi.advanceTimersByTime(1200);
    expect(await two?.hit("caller", 1000)).toMatchObject({ count: 1 });
  });
});
