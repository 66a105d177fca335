import { expect, test } from "vitest";
import { checkBatchIndependence } from "./batch-independence.ts";

const texts = Array.from({ length: 10 }, (_, i) => ({
  ids: Int32Array.from({ length: 1 + i }, () => i),
  secondStart: 1 + i,
}));

test("a model that looks at each text alone changes nothing", async () => {
  const found = await checkBatchIndependence(
    { run: async (batch) => batch.map(({ ids }) => Float32Array.of(ids.length)) },
    texts,
  );
  expect(found).toEqual({ texts: 10, changed: 0, largestDifference: 0 });
});

test("a model that takes one scale for the whole batch is found out", async () => {
  const found = await checkBatchIndependence(
    {
      run: async (batch) => {
        const longest = Math.max(...batch.map(({ ids }) => ids.length));
        return batch.map(({ ids }) => Float32Array.of(ids.length / longest));
      },
    },
    texts,
  );
  expect(found.changed).toBeGreaterThan(0);
  expect(found.largestDifference).toBeGreaterThan(0);
});

test("a difference in the last bit counts", async () => {
  const found = await checkBatchIndependence(
    {
      run: async (batch) => batch.map(() => Float32Array.of(1 + (batch.length > 1 ? 2 ** -23 : 0))),
    },
    texts,
  );
  expect(found.changed).toBe(10);
});
