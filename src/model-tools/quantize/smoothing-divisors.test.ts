import { expect, test } from "vitest";
import { createRandom } from "../train/random.ts";
import type { ChannelStatistics } from "./calibration-statistics.ts";
import {
  decideSmoothingDivisors,
  estimateSquaredError,
  multiplyRows,
} from "./smoothing-divisors.ts";

const CHANNELS = 32;
const random = createRandom(11);
const matrix = {
  rows: CHANNELS,
  columns: 8,
  data: Float32Array.from({ length: CHANNELS * 8 }, () => random() - 0.5),
};

/** Channels from -size to size. */
function createChannels(sizes: readonly number[]): ChannelStatistics {
  const high = Float64Array.from(sizes);
  return {
    low: high.map((size) => -size),
    high,
    means: new Float64Array(sizes.length),
    squares: high.map((size) => (size / 3) ** 2),
  };
}

test("channels of one size are left alone", () => {
  const channels = createChannels(new Array<number>(CHANNELS).fill(2));
  expect(decideSmoothingDivisors(channels, [matrix])).toBeUndefined();
});

test("a channel that stands out is divided, the others are not", () => {
  const sizes = new Array<number>(CHANNELS).fill(1);
  sizes[5] = 30;
  const divisors = decideSmoothingDivisors(createChannels(sizes), [matrix]);
  expect(divisors?.[5]).toBeGreaterThan(3);
  // Never below twice the median, so that other texts find room too.
  expect(divisors?.[5]).toBeLessThanOrEqual(15);
  expect(divisors?.filter((divisor) => divisor !== 1)).toHaveLength(1);
});

test("dividing is expected to help where it is chosen", () => {
  const sizes = Array.from({ length: CHANNELS }, (_, k) => (k % 10 === 0 ? 20 : 1));
  const channels = createChannels(sizes);
  const divisors = decideSmoothingDivisors(channels, [matrix]) ?? new Float32Array();
  const plain = new Float32Array(CHANNELS).fill(1);
  expect(estimateSquaredError(channels, [matrix], divisors)).toBeLessThan(
    0.7 * estimateSquaredError(channels, [matrix], plain),
  );
});

test("the expected error is what rounding random numbers really costs", () => {
  const channels = createChannels(new Array<number>(CHANNELS).fill(1));
  const plain = new Float32Array(CHANNELS).fill(1);
  // Evenly spread between -1 and 1: the mean square is a third.
  const even = { ...channels, squares: new Float64Array(CHANNELS).fill(1 / 3) };
  const activationScale = 2 / 255;
  const weightScales = Array.from({ length: 8 }, (_, n) => {
    const column = matrix.data.filter((_, at) => at % 8 === n);
    return Math.max(...column.map(Math.abs)) / 127;
  });
  let sum = 0;
  const trials = 4_000;
  for (let trial = 0; trial < trials; trial++) {
    const x = Float64Array.from({ length: CHANNELS }, () => 2 * random() - 1);
    for (let n = 0; n < 8; n++) {
      let error = 0;
      for (let k = 0; k < CHANNELS; k++) {
        const [w, scale] = [matrix.data[k * 8 + n] ?? 0, weightScales[n] ?? 1];
        const rounded = Math.round((x[k] ?? 0) / activationScale) * activationScale;
        error += rounded * Math.round(w / scale) * scale - (x[k] ?? 0) * w;
      }
      sum += error ** 2;
    }
  }
  const expected = estimateSquaredError(even, [matrix], plain);
  expect(sum / trials / expected).toBeGreaterThan(0.7);
  expect(sum / trials / expected).toBeLessThan(1.4);
});

test("divided activations with multiplied rows give the same products", () => {
  const divisors = Float32Array.from({ length: CHANNELS }, (_, k) => 1 + k);
  const multiplied = multiplyRows(matrix, divisors);
  for (let n = 0; n < 8; n++) {
    let plain = 0;
    let smoothed = 0;
    for (let k = 0; k < CHANNELS; k++) {
      const x = Math.sin(k + n);
      plain += x * (matrix.data[k * 8 + n] ?? 0);
      smoothed += (x / (divisors[k] ?? 1)) * (multiplied.data[k * 8 + n] ?? 0);
    }
    expect(smoothed).toBeCloseTo(plain, 5);
  }
});
