import { createHash } from "node:crypto";
import type { CorpusFiles } from "./corpus-files.ts";
import { readCorpusFiles } from "./corpus-files.ts";
import { createSeededRandom, shuffle } from "./seeded-random.ts";
import { createSyntheticChinese, createSyntheticText } from "./synthetic-texts.ts";

/** Distinct texts in random order, with what a reader must know about them. */
export interface Corpus {
  readonly name: CorpusName;
  readonly texts: readonly string[];
  /** UTF-16 units. */
  readonly meanCharacters: number;
  readonly medianCharacters: number;
  /** First digits of the SHA-256 over all texts: equal digests mean that two runs used the same texts. */
  readonly digest: string;
}

/**
 * `mixed`: 30 % sentences, 30 % phrases, 30 % comments, 10 % whole reviews; `short`: 35 / 35 / 30 % without reviews;
 * `chinese`: chat lines.
 */
export type CorpusName = "mixed" | "short" | "chinese";

export interface Corpora {
  readonly source: "data sets" | "synthetic";
  readonly byName: Readonly<Record<CorpusName, Corpus>>;
}

/** The most that the API accepts, in Unicode characters. */
const MAX_CHARACTERS = 5000;
const TEXTS = 10_000;
const SEED = 20_240_229;

/** The texts to send: from the data sets below `dataDirectory`, or made up where they are missing. Always the same. */
export function createCorpora(dataDirectory: string): Corpora {
  const read = readCorpusFiles(dataDirectory);
  const files = read ?? createSyntheticFiles();
  return {
    source: read === undefined ? "synthetic" : "data sets",
    byName: {
      mixed: mix("mixed", files, { sentences: 0.3, phrases: 0.3, comments: 0.3, reviews: 0.1 }),
      short: mix("short", files, { sentences: 0.35, phrases: 0.35, comments: 0.3 }),
      chinese: mix("chinese", files, { chinese: 1 }),
    },
  };
}

/** The body of a request for one text. */
export function toBody(text: string): string {
  return JSON.stringify({ text });
}

function mix(
  name: CorpusName,
  files: CorpusFiles,
  shares: Partial<Record<keyof CorpusFiles, number>>,
): Corpus {
  const random = createSeededRandom(SEED);
  const chosen = Object.entries(shares).flatMap(([kind, share]) => {
    const distinct = [...new Set(files[kind as keyof CorpusFiles].map(cut))];
    return shuffle(distinct, random).slice(0, Math.round(share * TEXTS));
  });
  const texts = shuffle([...new Set(chosen)], random);
  const lengths = texts.map((text) => text.length).sort((a, b) => a - b);
  return {
    name,
    texts,
    meanCharacters: Math.round(lengths.reduce((sum, length) => sum + length, 0) / lengths.length),
    medianCharacters: lengths[lengths.length >> 1] ?? 0,
    digest: createHash("sha256").update(texts.join("\n")).digest("hex").slice(0, 12),
  };
}

function cut(text: string): string {
  return [...text.trim()].slice(0, MAX_CHARACTERS).join("");
}

function createSyntheticFiles(): CorpusFiles {
  const random = createSeededRandom(SEED);
  const make = (count: number, create: () => string) => Array.from({ length: count }, create);
  return {
    sentences: make(5000, () => createSyntheticText(random, "sentences")),
    phrases: make(5000, () => createSyntheticText(random, "phrases")),
    comments: make(5000, () => createSyntheticText(random, "comments")),
    reviews: make(1000, () => createSyntheticText(random, "reviews")),
    chinese: make(12_000, () => createSyntheticChinese(random, 4, 24)),
  };
}
