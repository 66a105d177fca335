import { describe, expect, test } from "vitest";
import { toRows } from "./to-rows.ts";

const PLAIN = { pooling: "none", normalize: false, width: undefined } as const;

function texts(...lengths: number[]) {
  return lengths.map((length) => ({ ids: new Int32Array(length), secondStart: length }));
}

function float32(dims: number[], ...values: number[]) {
  return { type: "float32", data: Float32Array.from(values), dims };
}

describe("rows of a run", () => {
  test("one row per text, which keeps nothing else in memory", () => {
    const rows = toRows(float32([2, 2], 1, 2, 3, 4), texts(1, 1), PLAIN);
    expect(rows).toEqual([Float32Array.of(1, 2), Float32Array.of(3, 4)]);
    expect(rows[0]?.buffer.byteLength).toBe(8);
  });

  // Two texts of two and one token; the second row is padded with tokens that must not count.
  const hidden = float32([2, 2, 2], 1, 2, 3, 6, 5, 7, 1000, 1000);

  test("the mean is over a text's own tokens", () => {
    expect(toRows(hidden, texts(2, 1), { ...PLAIN, pooling: "mean" })).toEqual([
      Float32Array.of(2, 4),
      Float32Array.of(5, 7),
    ]);
  });

  test("or it is the first token", () => {
    expect(toRows(hidden, texts(2, 1), { ...PLAIN, pooling: "cls" })).toEqual([
      Float32Array.of(1, 2),
      Float32Array.of(5, 7),
    ]);
  });

  test("rows are brought to length 1, and a row of zeros stays", () => {
    const rows = toRows(float32([2, 2], 3, 4, 0, 0), texts(1, 1), { ...PLAIN, normalize: true });
    expect(rows).toEqual([Float32Array.of(0.6, 0.8), Float32Array.of(0, 0)]);
  });

  test("half floats are converted: normal, smallest, negative, zero, infinite, none", () => {
    const bits = Uint16Array.of(0x3c00, 0x0001, 0xc000, 0x8000, 0x7bff, 0x3555, 0xfc00, 0x7e00);
    const rows = toRows({ type: "float16", data: bits, dims: [1, 8] }, texts(1), PLAIN);
    const expected = [1, 2 ** -24, -2, -0, 65_504, 0.333251953125, -Infinity, Number.NaN];
    expect([...(rows[0] ?? [])]).toEqual(expected);
  });
});

describe("an output that is not what was announced is the model's failure", () => {
  const refused = [
    ["of another width", float32([1, 2], 1, 2), { ...PLAIN, width: 3 }],
    ["for another number of texts", float32([2, 1], 1, 2), PLAIN],
    ["of another rank", float32([1, 1, 2], 1, 2), PLAIN],
    ["of another type", { type: "int64", data: BigInt64Array.of(1n), dims: [1, 1] }, PLAIN],
    ["that is missing", undefined, PLAIN],
  ] as const;
  for (const [what, output, options] of refused) {
    test(`an output ${what}`, () => {
      expect(() => toRows(output, texts(1), options)).toThrow(
        expect.objectContaining({ name: "SluiceError", code: "model_failed" }),
      );
    });
  }
});
