import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EncodedText, Tokenizer } from "../../src/core/ports/tokenizer.ts";

/** A driver under test. Makes a new tokenizer for every test. */
export interface TokenizerDriver {
  readonly create: () => Tokenizer | Promise<Tokenizer>;
  /** Ids of the longest sequence, special ones included; undefined for tokenizers without a limit. */
  readonly maxTokens: number | undefined;
  readonly maxWindows: number;
}

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme", maxLength: 200 }),
  fc.string({
    unit: fc.constantFrom(
      "a",
      "B",
      "é",
      "\u0301",
      "[MASK]",
      " ",
      "\n",
      "好",
      "!",
      "한",
      "\ud83d",
      "\ude02",
    ),
    maxLength: 200,
  }),
);

/** What the port promises, for every driver. */
export function describeTokenizer(name: string, driver: TokenizerDriver): void {
  describe(`tokenizer: ${name}`, () => testTokenizer(driver));
}

function testTokenizer({ create, maxTokens, maxWindows }: TokenizerDriver): void {
  test("every text and every pair, also empty ones, has at least one id", async () => {
    const tokenizer = await create();
    for (const text of ["", " ", "\u0000", "\u0301", "text"]) {
      expect(tokenizer.encode(text).windows[0]?.ids.length).toBeGreaterThan(0);
      expect(tokenizer.encode(text, text).windows[0]?.ids.length).toBeGreaterThan(0);
    }
  });

  test("no string is refused, no window is longer than the model reads, and none is one too many", async () => {
    const tokenizer = await create();
    fc.assert(
      fc.property(anyText, fc.option(anyText, { nil: undefined }), (text, pair) => {
        const { windows } = tokenizer.encode(text, pair);
        expect(windows.length).toBeGreaterThan(0);
        expect(windows.length).toBeLessThanOrEqual(pair === undefined ? maxWindows : 1);
        for (const window of windows) expectSound(window, maxTokens);
      }),
    );
  });

  test("an encoding depends on the text alone, not on what was read before or by whom", async () => {
    const used = await create();
    const other = await create();
    fc.assert(
      fc.property(anyText, anyText, (before, text) => {
        used.encode(before, text);
        expect(used.encode(text)).toEqual(other.encode(text));
        expect(used.encode(text, before)).toEqual(other.encode(text, before));
      }),
    );
  });

  test("ids belong to the caller: they stay as they are, and what is written to them stays there", async () => {
    const tokenizer = await create();
    fc.assert(
      fc.property(anyText, anyText, (text, next) => {
        const first = tokenizer.encode(text);
        const copy = structuredClone(first);
        tokenizer.encode(next, text);
        tokenizer.encode(next);
        expect(first).toEqual(copy);
        for (const { ids } of first.windows) ids.fill(-1);
        expect(tokenizer.encode(text)).toEqual(copy);
      }),
    );
  });
}

function expectSound({ ids, secondStart }: EncodedText, maxTokens: number | undefined): void {
  expect(ids).toBeInstanceOf(Int32Array);
  expect(ids.length).toBeGreaterThan(0);
  expect(ids.length).toBeLessThanOrEqual(maxTokens ?? Number.POSITIVE_INFINITY);
  expect(ids.every((id) => id >= 0)).toBe(true);
  expect(secondStart).toBeGreaterThanOrEqual(0);
  expect(secondStart).toBeLessThanOrEqual(ids.length);
}
