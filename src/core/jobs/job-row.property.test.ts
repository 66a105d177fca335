import fc from "fast-check";
import { expect, test } from "vitest";
import type { JobRow } from "./job-row.ts";
import { decodeRow, encodeRow } from "./job-row.ts";
import type { RowResult } from "./row-result.ts";
import { decodeRowResults, encodeRowResults } from "./row-result.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("\u0000", "a\nb", "\ud800", "\r"),
);
const id = fc.option(text, { nil: undefined });

test("rows come out of a store as they went in, and hold nothing that a store cannot keep", () => {
  const row: fc.Arbitrary<JobRow> = fc.oneof(
    fc.record({ text, pair: fc.option(text, { nil: undefined }), id }),
    fc.record({ problem: fc.constantFrom("is not JSON"), id }),
  );
  fc.assert(
    fc.property(fc.array(row, { minLength: 1 }), (rows) => {
      const stored = rows.map(encodeRow).join("\n");
      expect(stored.split("\n").map(decodeRow)).toEqual(rows);
      expect(stored).not.toContain("\u0000");
      expect(stored.isWellFormed()).toBe(true);
    }),
  );
});

test("results come out of a store as they went in", () => {
  const score = fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((x) => !Object.is(x, -0));
  const result: fc.Arbitrary<RowResult> = fc.oneof(
    fc.record({
      kind: fc.constant("labels" as const),
      version: fc.constant("1.0.0"),
      labels: fc.array(fc.record({ label: text, score })),
      truncated: fc.boolean(),
      id,
    }),
    fc.record({
      kind: fc.constant("vector" as const),
      version: fc.constant("1.0.0"),
      values: fc.array(score),
      truncated: fc.boolean(),
      id,
    }),
    fc.record({
      kind: fc.constant("error" as const),
      code: fc.constantFrom("invalid_argument" as const, "model_failed" as const),
      message: text,
      id,
    }),
  );
  fc.assert(
    fc.property(fc.array(result, { minLength: 1 }), (results) => {
      expect(decodeRowResults(encodeRowResults(results))).toEqual(
        results.map((one) => JSON.parse(JSON.stringify(one))),
      );
    }),
  );
});
