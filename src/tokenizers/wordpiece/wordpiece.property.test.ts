import fc from "fast-check";
import { expect, test } from "vitest";
import { createWordPieceTokenizer } from "./wordpiece.ts";

const LETTERS = ["a", "b", "c"];
const PIECES = fc.uniqueArray(
  fc.tuple(
    fc.boolean(),
    fc.string({ unit: fc.constantFrom(...LETTERS), minLength: 1, maxLength: 4 }),
  ),
  { selector: ([isInside, letters]) => `${isInside}${letters}`, maxLength: 12 },
);
const WORDS = fc.array(
  fc.string({ unit: fc.constantFrom(...LETTERS), minLength: 1, maxLength: 10 }),
  { maxLength: 8 },
);

/** The definition of WordPiece, word for word and as slow as it likes. */
function cutPlainly(word: string, vocab: Readonly<Record<string, number>>): readonly number[] {
  const ids: number[] = [];
  let rest = word;
  while (rest !== "") {
    const prefix = rest.length === word.length ? "" : "##";
    let length = rest.length;
    while (length > 0 && vocab[prefix + rest.slice(0, length)] === undefined) length--;
    if (length === 0) return [1];
    ids.push(vocab[prefix + rest.slice(0, length)] ?? 1);
    rest = rest.slice(length);
  }
  return ids;
}

function createVocab(pieces: readonly (readonly [boolean, string])[]) {
  const tokens = pieces.map(([isInside, letters]) => (isInside ? `##${letters}` : letters));
  const all = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ...tokens];
  return Object.fromEntries(all.map((token, id) => [token, id]));
}

function create(vocab: Readonly<Record<string, number>>, maxTokens: number, max: number) {
  return createWordPieceTokenizer({
    tokenizerJson: {
      normalizer: { type: "BertNormalizer" },
      pre_tokenizer: { type: "BertPreTokenizer" },
      post_processor: { type: "BertProcessing", cls: ["[CLS]", 2], sep: ["[SEP]", 3] },
      model: { type: "WordPiece", unk_token: "[UNK]", vocab },
    },
    maxTokens,
    windows: { max, overlapTokens: 2 },
  });
}

test("ids are those of the plain definition for every vocabulary", () => {
  fc.assert(
    fc.property(PIECES, WORDS, (pieces, words) => {
      const vocab = createVocab(pieces);
      const expected = [2, ...words.flatMap((word) => cutPlainly(word, vocab)), 3];
      const { windows } = create(vocab, 1_000, 1).encode(words.join(" "));
      expect(windows.map(({ ids }) => [...ids])).toEqual([expected]);
    }),
  );
});

test("reading that stops early gives the beginning of what reading on would give", () => {
  fc.assert(
    fc.property(PIECES, WORDS, fc.integer({ min: 1, max: 3 }), (pieces, words, max) => {
      const vocab = createVocab(pieces);
      const text = words.join(" ");
      const whole = [...(create(vocab, 1_000, 1).encode(text).windows[0]?.ids ?? [])].slice(1, -1);
      const { windows, truncated } = create(vocab, 8, max).encode(text);
      const room = 6 + (max - 1) * 4;
      const seen = windows.flatMap(({ ids }, i) => [...ids].slice(i === 0 ? 1 : 3, -1));
      expect(seen).toEqual(whole.slice(0, room));
      expect(truncated).toBe(whole.length > room);
    }),
  );
});
