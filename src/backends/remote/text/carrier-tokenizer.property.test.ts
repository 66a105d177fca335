import fc from "fast-check";
import { expect, test } from "vitest";
import { createCarrierTokenizer, toCarriedText } from "./carrier-tokenizer.ts";

const { encode } = createCarrierTokenizer();

test("every text and every pair comes out as it went in, in one window of at least one id", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));
  fc.assert(
    fc.property(text, fc.option(text, { nil: undefined }), (first, second) => {
      const { windows, truncated } = encode(first, second);
      const [window] = windows;
      if (window === undefined) throw new Error("no window");
      expect(windows).toHaveLength(1);
      expect(truncated).toBe(false);
      expect(window.ids.length).toBeGreaterThan(0);
      expect(toCarriedText(window)).toEqual({ text: first, pair: second });
    }),
  );
});

test("long texts do not overflow a call", () => {
  const long = "ab🙂".repeat(100_000);
  const [window] = encode(long).windows;
  expect(window && toCarriedText(window)).toEqual({ text: long, pair: undefined });
});
