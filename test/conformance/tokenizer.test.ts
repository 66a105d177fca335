import { createFileTokenizer } from "../../src/compose/tokenizer.ts";
import { createHashedNgramsTokenizer } from "../../src/tokenizers/hashed-ngrams/hashed-ngrams.ts";
import { DEFAULT_HASHED_NGRAMS_SETTINGS } from "../../src/tokenizers/hashed-ngrams/settings.ts";
import { readGoldenBytes } from "../golden/tokenizers/golden-texts.ts";
import { describeTokenizer } from "./tokenizer.ts";

const limits = { maxTokens: 16, windows: { max: 3, overlapTokens: 5 } };

for (const name of ["bert-uncased", "bert-chinese", "bert-cased", "byte-bpe", "unigram"]) {
  describeTokenizer(`tokenizer.json, ${name}`, {
    create: () => createFileTokenizer(readGoldenBytes(name), limits),
    maxTokens: limits.maxTokens,
    maxWindows: limits.windows.max,
  });
}

describeTokenizer("hashed-ngrams", {
  create: () =>
    createHashedNgramsTokenizer({ ...DEFAULT_HASHED_NGRAMS_SETTINGS, buckets: 2 ** 12 }),
  maxTokens: undefined,
  maxWindows: 1,
});
