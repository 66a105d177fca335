import { expect, test } from "vitest";
import { decideRestartDelayMs } from "./restart-delay.ts";

test("the first crash is repaired at once", () => {
  expect(decideRestartDelayMs(1)).toBe(0);
});

test("further crashes wait twice as long each time, up to five seconds", () => {
  expect([2, 3, 4, 7, 8, 1_000].map(decideRestartDelayMs)).toEqual([
    100, 200, 400, 3_200, 5_000, 5_000,
  ]);
});
