import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SluiceError } from "../../../core/errors.ts";
import { packBatch, packRows, unpackBatch, unpackRows } from "./text-work.ts";
import { decodeError, encodeError } from "./worker-protocol.ts";

const anyIds = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 20 });
const anyLogit = fc.float({ noNaN: true });

describe("messages between the pool and its workers", () => {
  test("a batch of any texts comes out as it went in", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyIds, fc.nat(20)), { maxLength: 20 }), (texts) => {
        const batch = texts.map(([ids, secondStart]) => ({
          ids: Int32Array.from(ids),
          secondStart,
        }));
        expect(unpackBatch(packBatch(batch))).toEqual(batch);
      }),
    );
  });

  test("rows of any equal length come out as they went in", () => {
    const anyRows = fc
      .integer({ min: 1, max: 6 })
      .chain((width) =>
        fc.array(fc.array(anyLogit, { minLength: width, maxLength: width }), { minLength: 1 }),
      );
    fc.assert(
      fc.property(anyRows, (values) => {
        const rows = values.map((row) => Float32Array.from(row));
        expect(unpackRows(packRows(rows), rows.length)).toEqual(rows);
      }),
    );
  });

  test("a row that is kept does not keep the whole batch in memory", () => {
    const [row] = unpackRows(new Float32Array(1_000), 500);
    expect(row?.buffer.byteLength).toBe(8);
  });

  test("an error keeps its code and message, and its cause as text", () => {
    const error = new SluiceError("model_failed", "No.", { cause: new Error("Because.") });
    const copy = decodeError(structuredClone(encodeError(error)));
    expect(copy).toBeInstanceOf(SluiceError);
    expect(copy).toMatchObject({ code: "model_failed", message: "No." });
    expect(copy.cause).toContain("Because.");
  });

  test("an error without a cause stays without one", () => {
    const copy = decodeError(encodeError(new SluiceError("unavailable", "Later.")));
    expect(copy.cause).toBeUndefined();
  });
});
