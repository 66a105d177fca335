import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RateCounter } from "../../src/core/ports/rate-counter.ts";

export interface RateCounterUnderTest {
  readonly counter: RateCounter;
  /** Lets this much time pass for the counter. */
  pass(ms: number): Promise<void>;
}

/** What every rate counter must do. */
export function describeRateCounter(
  name: string,
  create: () => Promise<RateCounterUnderTest>,
): void {
  describe(`rate counter: ${name}`, () => {
    let under: RateCounterUnderTest;
    beforeEach(async () => {
      under = await create();
    });
    afterEach(() => under.counter.close());

    test("counts each key on its own, from one", async () => {
      expect((await under.counter.hit("a", 1000)).count).toBe(1);
      expect((await under.counter.hit("a", 1000)).count).toBe(2);
      expect((await under.counter.hit("b", 1000)).count).toBe(1);
    });

    test("starts again when the window that began with the first hit is over", async () => {
      await under.counter.hit("a", 1000);
      await under.pass(600);
      const second = await under.counter.hit("a", 1000);
      expect(second.count).toBe(2);
      expect(second.resetMs).toBeGreaterThan(0);
      expect(second.resetMs).toBeLessThanOrEqual(400);
      await under.pass(500);
      expect(await under.counter.hit("a", 1000)).toEqual({ count: 1, resetMs: 1000 });
    });

    test("no hit is lost when many come at once", async () => {
      const counts = await Promise.all(
        Array.from({ length: 500 }, async () => (await under.counter.hit("a", 60_000)).count),
      );
      expect(counts.toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 500 }, (_, i) => i + 1),
      );
    });
  });
}
