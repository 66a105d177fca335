import { describe, expect, test } from "vitest";
import { createWordPieceTokenizer } from "../../../src/tokenizers/wordpiece/wordpiece.ts";
import { createVocabulary, SPECIAL_TOKENS } from "./create-vocabulary.ts";
import { toTokenizerFile } from "./to-tokenizer-file.ts";

const TEXTS = ["The food was good, good food!", "Crème brûlée was not good", "goodness"];

function createTokenizer(vocabulary: readonly string[]) {
  const windows = { max: 1, overlapTokens: 0 };
  return createWordPieceTokenizer({
    tokenizerJson: toTokenizerFile(vocabulary),
    maxTokens: 64,
    windows,
  });
}

describe("createVocabulary", () => {
  test("begins with the special tokens, repeats nothing and keeps to its size", () => {
    const vocabulary = createVocabulary(TEXTS, 45);
    expect(vocabulary.slice(0, SPECIAL_TOKENS.length)).toEqual(SPECIAL_TOKENS);
    expect(new Set(vocabulary).size).toBe(vocabulary.length);
    expect(vocabulary).toHaveLength(45);
  });

  test("knows every word of its texts, so that none becomes [UNK]", () => {
    const vocabulary = createVocabulary(TEXTS, 200);
    const tokenizer = createTokenizer(vocabulary);
    const unknown = SPECIAL_TOKENS.indexOf("[UNK]");
    for (const text of TEXTS) {
      const [window] = tokenizer.encode(text).windows;
      expect([...(window?.ids ?? [unknown])]).not.toContain(unknown);
    }
  });

  test("frames a text as BERT does", () => {
    const vocabulary = createVocabulary(TEXTS, 200);
    const [window] = createTokenizer(vocabulary).encode("good food").windows;
    const tokens = [...(window?.ids ?? [])].map((id) => vocabulary[id]);
    expect(tokens).toEqual(["[CLS]", "good", "food", "[SEP]"]);
  });
});
