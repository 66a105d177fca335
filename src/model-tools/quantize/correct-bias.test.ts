import { expect, test } from "vitest";
import { createRandom } from "../train/random.ts";
import { correctBias } from "./correct-bias.ts";
import { quantizeWeights } from "./quantize-weights.ts";

const random = createRandom(4);
const matrix = {
  rows: 6,
  columns: 3,
  data: Float32Array.from({ length: 18 }, () => random() - 0.5),
};
// Coarse on purpose, so that there is something to correct.
const weights = quantizeWeights(matrix, 3);
const bias = Float32Array.of(1, 2, 3);
const inputs = Array.from({ length: 50 }, () =>
  Float64Array.from({ length: 6 }, () => random() * 4),
);
const round = (input: Float64Array) => input.map((x) => Math.min(Math.round(x), 3));

function toMeans(rows: readonly Float64Array[]): Float64Array {
  return Float64Array.from({ length: 6 }, (_, k) => {
    return rows.reduce((sum, row) => sum + (row[k] ?? 0), 0) / rows.length;
  });
}

function multiply(input: Float64Array, n: number, weight: (at: number) => number): number {
  return input.reduce((sum, x, k) => sum + x * weight(k * 3 + n), 0);
}

test("with the corrected bias the mean output is that of the float layer", () => {
  const corrected = correctBias(bias, matrix, weights, toMeans(inputs), toMeans(inputs.map(round)));
  for (let n = 0; n < 3; n++) {
    let difference = 0;
    for (const input of inputs) {
      const exact = multiply(input, n, (at) => matrix.data[at] ?? 0) + (bias[n] ?? 0);
      const restored = (at: number) => (weights.values[at] ?? 0) * (weights.scales[n] ?? 0);
      const rounded = multiply(round(input), n, restored);
      difference += rounded + (corrected[n] ?? 0) - exact;
    }
    expect(difference / inputs.length).toBeCloseTo(0, 5);
  }
  expect(corrected).not.toEqual(bias);
});

test("a layer without bias gets one", () => {
  const means = toMeans(inputs);
  const withBias = correctBias(bias, matrix, weights, means, means);
  const without = correctBias(undefined, matrix, weights, means, means);
  expect([...withBias].map((b, n) => b - (bias[n] ?? 0))).toEqual(
    [...without].map((b) => expect.closeTo(b, 5)),
  );
});
