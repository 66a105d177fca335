import { expect, test } from "vitest";
import { fromHalfBits, toHalfBits } from "./half-float.ts";

test("every half float comes back from its number", () => {
  for (let bits = 0; bits <= 0xffff; bits++) {
    const value = fromHalfBits(bits);
    if (Number.isNaN(value)) expect(fromHalfBits(toHalfBits(value))).toBeNaN();
    else if (toHalfBits(value) !== bits) expect([bits, toHalfBits(value)]).toEqual([bits, bits]);
  }
});

test.each([
  ["one", 1, 0x3c00],
  ["the largest", 65_504, 0x7bff],
  ["what is nearer to infinity", 65_520, 0x7c00],
  ["the smallest", 2 ** -24, 0x0001],
  ["half of the smallest, a tie, goes to zero", 2 ** -25, 0x0000],
  ["a tie that goes up to the even one", 1 + 3 * 2 ** -11, 0x3c02],
  ["a tie that goes down to the even one", 1 + 2 ** -11, 0x3c00],
  ["a fraction that carries into the exponent", 2 - 2 ** -12, 0x4000],
  ["the largest subnormal, rounded up to a normal one", (1023.6 / 1024) * 2 ** -14, 0x0400],
  ["minus zero", -0, 0x8000],
  ["minus infinity", -Infinity, 0xfc00],
])("%s is rounded as IEEE 754 says", (_name, value, bits) => {
  expect(toHalfBits(value)).toBe(bits);
});
