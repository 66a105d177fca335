import fc from "fast-check";
import { expect, test } from "vitest";
import { createWindowedTokenizer } from "./create-windowed-tokenizer.ts";

const PREFIX = 1_001;
const SUFFIX = 1_002;
const setting = fc
  .record({
    maxTokens: fc.integer({ min: 8, max: 24 }),
    max: fc.integer({ min: 1, max: 6 }),
    length: fc.nat(120),
    overlap: fc.nat(100),
  })
  .map(({ overlap, ...rest }) => ({
    ...rest,
    overlapTokens: overlap % (Math.floor(rest.maxTokens / 2) + 1),
  }));

/** Ids 0 … length - 1 in windows. */
function encode({
  maxTokens,
  max,
  length,
  overlapTokens,
}: {
  readonly maxTokens: number;
  readonly max: number;
  readonly length: number;
  readonly overlapTokens: number;
}) {
  return createWindowedTokenizer({
    maxTokens,
    windows: { max, overlapTokens },
    template: {
      single: { before: [PREFIX], after: [SUFFIX] },
      pair: { before: [PREFIX], between: [SUFFIX], after: [SUFFIX], firstOfBetween: 1 },
    },
    emptyId: 0,
    readIds: () => Array.from({ length }, (_, i) => i),
  }).encode("");
}

test("windows cover every id in order, up to the first that is left out", () => {
  fc.assert(
    fc.property(setting, (given) => {
      const { windows, truncated } = encode(given);
      let covered = 0;
      for (const { ids } of windows) {
        const content = [...ids.subarray(1, -1)];
        expect(ids[0]).toBe(PREFIX);
        expect(ids.at(-1)).toBe(SUFFIX);
        const first = content[0] ?? 0;
        expect(first).toBeLessThanOrEqual(covered);
        expect(content).toEqual(content.map((_, i) => first + i));
        covered = first + content.length;
      }
      expect(truncated).toBe(covered < given.length);
      if (truncated) expect(windows.length).toBe(given.max);
      else expect(covered).toBe(given.length);
    }),
  );
});

test("no window is longer than the model reads, and all but the last are full", () => {
  fc.assert(
    fc.property(setting, (given) => {
      const lengths = encode(given).windows.map(({ ids }) => ids.length);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(given.maxTokens);
      expect(lengths.slice(0, -1).every((length) => length === given.maxTokens)).toBe(true);
    }),
  );
});

test("neighbours share as many ids as asked for", () => {
  fc.assert(
    fc.property(setting, (given) => {
      // An overlap of half of a short window would not get on; the step is never less than one id.
      const step = Math.max(1, given.maxTokens - 2 - given.overlapTokens);
      const starts = encode(given).windows.map(({ ids }) => ids[1]);
      if (given.length > 0) expect(starts).toEqual(starts.map((_, i) => i * step));
    }),
  );
});
