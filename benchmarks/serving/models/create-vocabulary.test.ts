import { describe, expect, test } from "vitest";
import { createWordPieceTokenizer } from "../../../src/tokenizers/wordpiece/wordpiece.ts";
import {
  createBertTokenizerFile,
  SPECIAL_TOKENS,
} from "../../../test/support/bert-tokenizer-file.ts";
import { createVocabulary } from "./create-vocabulary.ts";

const TEXTS = ["The food was good, good food!", "Crème brûlée was not good", "goodness"];

function createTokenizer(vocabulary: readonly string[]) {
  const windows = { max: 1, overlapTokens: 0 };
  return createWordPieceTokenizer({
    tokenizerJson: createBertTokenizerFile(vocabulary),
    maxTokens: 64,
    windows,
  });
}

describe("createVocabulary", () => {
  test("repeats nothing and keeps to its size", () => {
    const vocabulary = createVocabulary(TEXTS, 40);
    expect(new Set(vocabulary).size).toBe(vocabulary.length);
    expect(vocabulary).toHaveLength(40);
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
    const all = [...SPECIAL_TOKENS, ...vocabulary];
    const tokens = [...(window?.ids ?? [])].map((id) => all[id]);
    expect(tokens).toEqual(["[CLS]", "good", "food", "[SEP]"]);
  });
});
