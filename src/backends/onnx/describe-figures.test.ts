import { expect, test } from "vitest";
import { formatCount, formatMs } from "./describe-figures.ts";

test("times have two significant digits and no exponent", () => {
  expect([0.00412, 0.13, 1.34, 47.6, 1_234, 0, 1e-9].map(formatMs)).toEqual([
    "0.0041 ms",
    "0.13 ms",
    "1.3 ms",
    "48 ms",
    "1234 ms",
    "0 ms",
    "0.000000 ms",
  ]);
});

test("one is one", () => {
  expect([formatCount(1, "worker"), formatCount(2, "worker")]).toEqual(["1 worker", "2 workers"]);
});
