import fc from "fast-check";
import { expect, test } from "vitest";
import { ACTIVATION_FUNCTIONS } from "../text/labels.ts";
import { createCacheKeyPrefixes } from "./cache-key.ts";

const source = fc.record({
  model: fc.constantFrom("a", "b", "a-b"),
  version: fc.constantFrom("1.0.0", "1.0.1"),
  digest: fc.constantFrom("0".repeat(64), "1".repeat(64)),
  activation: fc.constantFrom(...ACTIVATION_FUNCTIONS),
  text: fc.string({ maxLength: 6 }),
});

test("two questions share a key exactly when they are the same question", () => {
  const keyOf = ({
    activation,
    text,
    ...rest
  }: { [K in "model" | "version" | "digest" | "text"]: string } & {
    activation: (typeof ACTIVATION_FUNCTIONS)[number];
  }) => createCacheKeyPrefixes(rest)[activation] + text;
  fc.assert(
    fc.property(source, source, (a, b) => {
      expect(keyOf(a) === keyOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
    { numRuns: 2000 },
  );
});

test("a text that imitates the beginning of a key does not collide", () => {
  const { softmax } = createCacheKeyPrefixes({ model: "a", version: "1.0.0", digest: "d" });
  const { none } = createCacheKeyPrefixes({ model: "a", version: "1.0.0", digest: "d" });
  expect(softmax + none).not.toBe(none + softmax);
});
