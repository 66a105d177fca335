import { expect, test } from "vitest";
import { decodeBfloat16, decodeFloat16 } from "./half-floats.ts";

test("every number of 16 bits is decoded exactly", () => {
  const halves = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
  const decoded = decodeFloat16(halves);
  const wrong = [...halves].filter((bits) => {
    const sign = bits >= 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = (bits & 0x3ff) / 1024;
    if (exponent === 0x1f) {
      return !Object.is(decoded[bits], fraction === 0 ? sign * Infinity : NaN);
    }
    const magnitude = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
    return !Object.is(decoded[bits], sign * magnitude);
  });
  expect(wrong).toEqual([]);
});

test("a bfloat16 is the upper half of a float32", () => {
  const halves = Uint16Array.of(0x3f80, 0xc040, 0x7f80, 0x0001);
  expect([...decodeBfloat16(halves)]).toEqual([1, -3, Infinity, 2 ** -133]);
  expect(decodeBfloat16(Uint16Array.of(0x7fc0))[0]).toBeNaN();
});
