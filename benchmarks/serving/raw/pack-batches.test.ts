import { describe, expect, test } from "vitest";
import { packInOrder, packSorted, toPaddingRatio } from "./pack-batches.ts";

describe("packInOrder", () => {
  test("keeps the order and puts what is left into a smaller batch", () => {
    expect(packInOrder([9, 9, 9, 9, 9], 2)).toEqual([[0, 1], [2, 3], [4]]);
  });
});

describe("packSorted", () => {
  test("puts texts of similar length together", () => {
    expect(packSorted([10, 2, 9, 3], 4, 20)).toEqual([
      [1, 3],
      [2, 0],
    ]);
  });

  test("runs a text that is longer than the budget alone, and still runs it", () => {
    expect(packSorted([50, 4], 4, 20)).toEqual([[1], [0]]);
  });

  test("looks no further than its window", () => {
    expect(packSorted([10, 2, 10, 2], 2, 15)).toEqual([[1], [0], [3], [2]]);
  });

  test("places every text exactly once", () => {
    const lengths = Array.from({ length: 100 }, (_, i) => 1 + ((i * 37) % 90));
    const placed = packSorted(lengths, 16, 128).flat();
    expect(placed.toSorted((a, b) => a - b)).toEqual([...lengths.keys()]);
  });
});

describe("toPaddingRatio", () => {
  test("counts what padding to the longest adds", () => {
    expect(toPaddingRatio([4, 8], [[0, 1]])).toBeCloseTo(16 / 12);
    expect(toPaddingRatio([4, 8], [[0], [1]])).toBe(1);
  });
});
