import { describe, expect, test } from "vitest";
import { createFileTokenizer } from "../../src/compose/tokenizer.ts";
import { isWordPiece } from "../../src/tokenizers/wordpiece/wordpiece-file.ts";
import {
  createSyntheticTexts,
  GOLDEN_WINDOWS,
  hashTexts,
  readCorpora,
  readCorpusNames,
  readGoldenBytes,
  readGoldenHashes,
} from "../golden/tokenizers/golden-texts.ts";
import { describeWithData } from "../support/shared-data.ts";

const WORDPIECE = ["bert-uncased", "bert-chinese", "bert-cased"];
const WORDPIECE_VARIANTS = ["bert-bare", "bert-stripped"];
const OTHERS = ["byte-bpe", "unigram"];
const OTHER_VARIANTS = [
  "bert-in-roberta",
  "bert-extended",
  "bert-other-words",
  "byte-bpe-split",
  "byte-bpe-prefix",
  "unigram-precompiled",
  "unigram-whole",
  "unigram-first",
];

const synthetic = createSyntheticTexts();

async function createTokenizers(name: string) {
  const bytes = readGoldenBytes(name);
  const everything = { maxTokens: 1_000_000, windows: { max: 1, overlapTokens: 0 } };
  return {
    whole: await createFileTokenizer(bytes, everything),
    cut: await createFileTokenizer(bytes, GOLDEN_WINDOWS),
  };
}

/** The texts and pairs of texts whose ids are not the reference's. */
async function findDifferences(
  name: string,
  source: "synthetic" | "data",
  texts: readonly string[],
): Promise<readonly string[]> {
  const golden = readGoldenHashes(name, source);
  const hashes = hashTexts(await createTokenizers(name), texts);
  expect(hashes.length).toBe(golden.length);
  return [...hashes.keys()]
    .filter((i) => hashes[i] !== golden[i])
    .map((i) => {
      const first = 2 * (i - texts.length);
      return i < texts.length ? (texts[i] ?? "") : `${texts[first]}\n${texts[first + 1]}`;
    });
}

/** The texts whose hashes there are for other models than WordPiece: every fifth two. */
function thin(texts: readonly string[]): readonly string[] {
  return texts.filter((_, i) => Math.floor(i / 2) % 5 === 0);
}

test("the made-up texts have every kind of character that a tokenizer treats in its own way", () => {
  const all = synthetic.join("");
  for (const pattern of [/\p{Mn}/u, /\p{Cf}/u, /\p{Co}/u, /\p{Zs}/u, /[\u{20000}-\u{2a6df}]/u]) {
    expect(all).toMatch(pattern);
  }
  expect(all).toContain("[MASK]");
  expect(synthetic.some((text) => /\S{101}/.test(text))).toBe(true);
  expect(new Set(synthetic).size).toBeGreaterThan(3_500);
});

describe("ids are those of the reference for thousands of made-up texts and pairs", () => {
  test.each([...WORDPIECE, ...WORDPIECE_VARIANTS])("own WordPiece, %s", async (name) => {
    expect(isWordPiece(JSON.parse(readGoldenBytes(name).toString()))).toBe(true);
    expect(await findDifferences(name, "synthetic", synthetic)).toEqual([]);
  });

  test.each([...OTHERS, ...OTHER_VARIANTS])("other kinds, %s", async (name) => {
    const bytes = readGoldenBytes(name);
    expect(isWordPiece(JSON.parse(bytes.toString()))).toBe(false);
    const isThin = JSON.parse(bytes.toString()).model.type !== "WordPiece";
    const texts = isThin ? thin(synthetic) : synthetic;
    expect(await findDifferences(name, "synthetic", texts)).toEqual([]);
  });
});

describeWithData("ids are those of the reference for lines of data sets", readCorpusNames(), () => {
  test.each(WORDPIECE)("own WordPiece, %s", async (name) => {
    expect(await findDifferences(name, "data", readCorpora())).toEqual([]);
  });

  test.each(OTHERS)("other kinds, %s", async (name) => {
    expect(await findDifferences(name, "data", thin(readCorpora()))).toEqual([]);
  });
});
