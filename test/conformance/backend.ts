import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/core/ports/backend.ts";
import type { EncodedText } from "../../src/core/ports/tokenizer.ts";

/** What the suite needs of a backend. */
export interface BackendUnderTest {
  readonly backend: Backend;
  /** Values per row. */
  readonly width: number;
  /** At least eight texts of different lengths whose rows differ. */
  readonly texts: readonly EncodedText[];
  /** A text that the model refuses. */
  readonly badText: EncodedText;
  /**
   * `bits`: a row does not depend on its company at all. `sums`: a longer batch adds the same numbers in another order,
   * and rows agree to five decimals.
   */
  readonly agreement: "bits" | "sums";
}

const DECIMALS = 5;

/** The suite of the port `core/ports/backend.ts`. `create` is called more than once and gives a fresh backend. */
export function describeBackend(name: string, create: () => Promise<BackendUnderTest>): void {
  describe(`backend conformance: ${name}`, () => {
    let subject: BackendUnderTest;
    beforeAll(async () => {
      subject = await create();
    });
    afterAll(() => subject.backend.close());

    const expectSame = (row: Float32Array | undefined, expected: Float32Array | undefined) => {
      if (subject.agreement === "bits") expect(row).toEqual(expected);
      else expectCloseRow(row, expected);
    };

    test("it offers at least one slot, no fewer than it computes at once, and says what it is", () => {
      const { slots, parallelRuns, description } = subject.backend;
      expect(parallelRuns).toBeGreaterThanOrEqual(1);
      expect(slots).toBeGreaterThanOrEqual(parallelRuns);
      expect(description).not.toBe("");
    });

    test("it tells what a run costs, and nothing of that is negative", () => {
      const { fixedMs, perTokenMs } = subject.backend.cost;
      expect(fixedMs).toBeGreaterThanOrEqual(0);
      expect(perTokenMs).toBeGreaterThan(0);
      expect(Number.isFinite(fixedMs + perTokenMs)).toBe(true);
    });

    test("a batch gives one row of finite numbers per text, and different texts differ", async () => {
      const rows = await subject.backend.run(subject.texts);
      expect(rows).toHaveLength(subject.texts.length);
      for (const row of rows) {
        expect(row).toBeInstanceOf(Float32Array);
        expect(row).toHaveLength(subject.width);
        expect(row.every(Number.isFinite)).toBe(true);
      }
      expect(new Set(rows.map((row) => row.join())).size).toBe(rows.length);
    });

    test("the same text gives the same row alone, in any batch and at any place in it", async () => {
      const { backend, texts } = subject;
      const together = await backend.run(texts);
      const reversed = await backend.run(texts.toReversed());
      for (const [index, text] of texts.entries()) {
        const [alone] = await backend.run([text]);
        expectSame(together[index], alone);
        expectSame(reversed[texts.length - 1 - index], alone);
      }
    });

    test("as many batches as there are slots run at once, and every caller gets its own rows", async () => {
      const { backend, texts } = subject;
      const expected = await backend.run(texts);
      for (let round = 0; round < 10; round++) {
        const runs = Array.from({ length: backend.slots }, (_, slot) =>
          backend.run([pick(texts, round + slot), pick(texts, round + slot + 1)]),
        );
        for (const [slot, rows] of (await Promise.all(runs)).entries()) {
          expectSame(rows[0], pick(expected, round + slot));
          expectSame(rows[1], pick(expected, round + slot + 1));
        }
      }
    });

    test("running a batch leaves the caller's ids as they were, and its rows are the caller's own", async () => {
      const { backend, texts } = subject;
      const before = texts.map(({ ids }) => [...ids]);
      const rows = await backend.run(texts);
      const kept = rows.map((row) => [...row]);
      await backend.run(texts.toReversed());
      expect(texts.map(({ ids }) => [...ids])).toEqual(before);
      expect(rows.map((row) => [...row])).toEqual(kept);
      for (const row of rows) expect(row.buffer.byteLength).toBe(row.byteLength);
    });

    test("a batch that the model refuses fails alone, and the next one is answered", async () => {
      const { backend, texts, badText } = subject;
      const [expected] = await backend.run([pick(texts, 0)]);
      await expect(backend.run([pick(texts, 0), badText])).rejects.toMatchObject({
        name: "SluiceError",
        code: "model_failed",
      });
      const [again] = await backend.run([pick(texts, 0)]);
      expectSame(again, expected);
    });

    test("close lets running batches finish, refuses new ones and may be called again", async () => {
      const { backend, texts } = await create();
      const runs = Array.from({ length: backend.slots }, () => backend.run(texts));
      const closed = Promise.all([backend.close(), backend.close()]);
      await expect(backend.run(texts)).rejects.toMatchObject({ code: "unavailable" });
      for (const rows of await Promise.all(runs)) expect(rows).toHaveLength(texts.length);
      await closed;
      await backend.close();
      await expect(backend.run(texts)).rejects.toMatchObject({ code: "unavailable" });
    });
  });
}

function pick<T>(values: readonly T[], index: number): T {
  return values[index % values.length] as T;
}

function expectCloseRow(row: Float32Array | undefined, expected: Float32Array | undefined): void {
  expect(row).toHaveLength(expected?.length ?? -1);
  for (const [index, value] of (row ?? []).entries()) {
    expect(value).toBeCloseTo(expected?.[index] ?? Number.NaN, DECIMALS);
  }
}
