import { expect, test } from "vitest";
import { collectRoundedMeans, collectStatistics } from "./calibration-statistics.ts";
import type { ActivationSource } from "./collect-activations.ts";

/** Two texts; the value "a" has two channels. */
const source: ActivationSource = {
  forEach: async (_, visit) => {
    visit("a", Float32Array.of(1, -4, 3, 8), 2);
    visit("a", Float32Array.of(-1, 2), 2);
  },
  close: async () => {},
};

test("channels are told apart over all texts", async () => {
  const statistics = (await collectStatistics(source, [], new Map())).get("a");
  expect(statistics?.channels).toEqual({
    low: Float64Array.of(-1, -4),
    high: Float64Array.of(3, 8),
    means: Float64Array.of(1, 2),
    squares: Float64Array.of((1 + 9 + 1) / 3, (16 + 64 + 4) / 3),
  });
  expect(statistics?.histogram).toMatchObject({ min: -4, max: 8, total: 6 });
});

test("numbers are divided before anything is counted", async () => {
  const divisors = new Map([["a", Float32Array.of(1, 2)]]);
  const statistics = (await collectStatistics(source, [], divisors)).get("a");
  expect(statistics?.histogram).toMatchObject({ min: -2, max: 4 });
  expect(statistics?.channels.means).toEqual(Float64Array.of(1, 1));
});

test("rounded means are those of what comes back from bytes", async () => {
  // Levels of 2, nothing below -2 or above 508.
  const scales = new Map([["a", { scale: 2, zeroPoint: 1 }]]);
  const means = (await collectRoundedMeans(source, [], scales, new Map())).get("a");
  // 1 → 0 (half to even), 3 → 4, -1 → 0; -4 → -2 (clipped), 8 → 8, 2 → 2.
  expect(means).toEqual(Float64Array.of(4 / 3, 8 / 3));
});
