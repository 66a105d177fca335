import fc from "fast-check";
import { expect, test } from "vitest";
import { findLabelled, findVersion, toVersionNumber } from "./version-number.ts";

test("versions have numbers that tell them apart", () => {
  expect(toVersionNumber("2.0.0")).toBe(2n);
  expect(toVersionNumber("2.1.3")).toBe(2_001_003n);
  expect(toVersionNumber("0.1.0")).toBe(1000n);
  expect(toVersionNumber("1.1000.0")).toBeUndefined();
  // Just below 2⁶³, and just above.
  expect(toVersionNumber("9223372036854.775.807")).toBe(2n ** 63n - 1n);
  expect(toVersionNumber("9223372036854.775.808")).toBeUndefined();
  const component = fc.integer({ min: 0, max: 999 });
  const version = fc.tuple(fc.integer({ min: 0, max: 1e6 }), component, component);
  fc.assert(
    fc.property(version, (parts) => {
      const written = parts.join(".");
      const number = toVersionNumber(written);
      expect(number).toBeDefined();
      expect(findVersion(number ?? 0n, [written])).toBe(written);
    }),
  );
});

test("of two versions with one number, the plain one is meant", () => {
  expect(findVersion(1000n, ["0.1.0", "1000.0.0"])).toBe("1000.0.0");
  expect(findVersion(7n, ["1.0.0"])).toBeUndefined();
});

test("a label is what was configured, or a version as it is spelled, and never one that is not there", () => {
  const labels = [{ model: "m", label: "stable", version: "1.0.0" }];
  const known = ["1.0.0", "2.1.0"];
  expect(findLabelled("m", "stable", labels, known)).toBe("1.0.0");
  expect(findLabelled("m", "2.1.0", labels, known)).toBe("2.1.0");
  for (const [model, label] of [
    ["other", "stable"],
    ["m", "canary"],
    ["m", "9.9.9"],
  ] as const) {
    expect(() => findLabelled(model, label, labels, known)).toThrow(
      `Unrecognized servable version label: ${label}`,
    );
  }
});
