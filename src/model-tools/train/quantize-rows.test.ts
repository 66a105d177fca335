import fc from "fast-check";
import { expect, test } from "vitest";
import { quantizeRows } from "./quantize-rows.ts";

test("no value moves by more than half a step, and rows of zeros stay zeros", () => {
  const row = fc.array(fc.float({ noNaN: true, min: -100, max: 100 }), {
    minLength: 4,
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), (rows) => {
      const embeddings = Float32Array.from([0, 0, 0, 0, ...rows.flat()]);
      const { values, rowScales } = quantizeRows(embeddings, 4);
      expect([...values.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
      embeddings.forEach((value, at) => {
        const scale = rowScales[Math.floor(at / 4)] ?? 0;
        expect(Math.abs((values[at] ?? 0) * scale - value)).toBeLessThanOrEqual(
          scale * 0.501 + 1e-35,
        );
      });
    }),
  );
});
