import fc from "fast-check";
import { expect, test } from "vitest";
import { formatFloat32, formatFloat64 } from "./format-float.ts";

test.each([
  [0.1, "0.1"],
  [0.2, "0.2"],
  [1, "1.0"],
  [-1, "-1.0"],
  [0, "0.0"],
  [-0, "-0.0"],
  [2.5, "2.5"],
  [9_000_000, "9000000.0"],
  [0.000_03, "0.00003"],
  [1e-7, "1e-7"],
  [0.669_074_059, "0.66907406"],
  [16_777_216, "16777216.0"],
  [3.4028234663852886e38, "3.4028235e+38"],
  [1.401298464324817e-45, "1.4013e-45"],
])("the float of %d is written as %s", (value, text) => {
  expect(formatFloat32(Math.fround(value))).toBe(text);
});

test("any float reads back as itself, and never looks like a whole number", () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = formatFloat32(value);
      expect(Object.is(Math.fround(JSON.parse(text)), value)).toBe(true);
      expect(text).toMatch(/[.e]/);
    }),
    { numRuns: 5000 },
  );
});

test("no shorter text reads back as the same float", () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const digitsOf = (text: string) =>
        text.replace(/e.*$/, "").replace(/\D/g, "").replace(/^0+/, "").replace(/0+$/, "").length;
      const shortest = [1, 2, 3, 4, 5, 6, 7, 8, 9].find(
        (digits) => Math.fround(Number(value.toPrecision(digits))) === value,
      );
      expect(digitsOf(formatFloat32(value))).toBeLessThanOrEqual(Math.max(6, shortest ?? 0));
    }),
    { numRuns: 2000 },
  );
});

test("any double reads back as itself, and never looks like a whole number", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = formatFloat64(value);
      expect(Object.is(JSON.parse(text), value)).toBe(true);
      expect(text).toMatch(/[.e]/);
    }),
    { numRuns: 2000 },
  );
});
