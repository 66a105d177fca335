import { expect, test } from "vitest";
import { assertRoom, estimateMemory } from "./memory-need.ts";

const MB = 1024 * 1024;

test.each([
  [0, 0],
  [24, 76],
  [100, 266],
])("a model of %d MB needs %d MB", (file, need) => {
  expect(estimateMemory(file * MB)).toBe(need * MB);
});

test.each([
  ["fits", 24, 140, 64],
  ["is not looked at", 1000, 1, 0],
  ["runs elsewhere", 0, 1, 64],
  ["has as much as there is", 24, Number.POSITIVE_INFINITY, 64],
])("a model that %s is loaded", (_name, file, free, reserve) => {
  expect(() => assertRoom(file * MB, free * MB, reserve * MB)).not.toThrow();
});

test("one that does not fit is refused, with the numbers and the fix", () => {
  expect(() => assertRoom(24 * MB, 139.5 * MB, 64 * MB)).toThrow(
    "it needs about 76 MB, 140 MB are free, and 64 MB are to stay so (models.memoryReserveMb)",
  );
});
