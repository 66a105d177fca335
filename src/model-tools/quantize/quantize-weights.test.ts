import { expect, test } from "vitest";
import { createRandom } from "../train/random.ts";
import { FULL_RANGE, quantizeWeights, REDUCED_RANGE } from "./quantize-weights.ts";

const random = createRandom(7);
const rows = 50;
const columns = 20;
/** Columns of very different sizes. */
const data = Float32Array.from(
  { length: rows * columns },
  (_, at) => (random() - 0.5) * 10 ** ((at % columns) / 4 - 3),
);

for (const largest of [FULL_RANGE, REDUCED_RANGE]) {
  test(`with magnitudes up to ${largest}, no weight is off by more than half its column's scale`, () => {
    const { values, scales } = quantizeWeights({ rows, columns, data }, largest);
    for (let at = 0; at < data.length; at++) {
      const scale = scales[at % columns] ?? 0;
      const error = Math.abs((values[at] ?? 0) * scale - (data[at] ?? 0));
      expect(error).toBeLessThanOrEqual(scale * 0.5001);
      expect(Math.abs(values[at] ?? 0)).toBeLessThanOrEqual(largest);
    }
  });
}

test("every column uses the whole range", () => {
  const { values } = quantizeWeights({ rows, columns, data }, FULL_RANGE);
  for (let n = 0; n < columns; n++) {
    const column = values.filter((_, at) => at % columns === n);
    expect(Math.max(...column.map(Math.abs))).toBe(FULL_RANGE);
  }
});

test("a column of zeros stays one and has a scale that divides", () => {
  const zeros = { rows: 2, columns: 2, data: Float32Array.of(0, 1, 0, -1) };
  const { values, scales } = quantizeWeights(zeros, FULL_RANGE);
  expect([...values]).toEqual([0, 127, 0, -127]);
  expect(scales[0]).toBe(1);
});

test("with the reduced range no pair of products overflows 16 bits", () => {
  expect(2 * 255 * REDUCED_RANGE).toBeLessThanOrEqual(32_767);
});
