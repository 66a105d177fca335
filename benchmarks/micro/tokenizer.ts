import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { createHuggingFaceTokenizer } from "../../src/tokenizers/huggingface/huggingface.ts";
import { createWordPieceTokenizer } from "../../src/tokenizers/wordpiece/wordpiece.ts";
import { createSyntheticTexts } from "../../test/golden/tokenizers/golden-texts.ts";
import { dataPath } from "../../test/support/shared-data.ts";

// What a text costs in our WordPiece, in our reader of all other kinds, and in the library by itself, side by side.
// Run: node benchmarks/micro/tokenizer.ts [a BERT tokenizer.json]

const ROUNDS = 5;
const TEXTS = 2_000;
const LINES_IN_LONG_TEXT = 12;
const DEFAULT_FILE = new URL(
  "../../test/golden/tokenizers/bert-uncased.tokenizer.json",
  import.meta.url,
);
const ENGLISH = "sentence_polarity/rt-polarity.pos.txt";
const CHINESE = "zh_weibo_emotion/emotion_classification.tsv";

const source = readFileSync(process.argv[2] ?? DEFAULT_FILE, "utf8");
const limits = { maxTokens: 512, windows: { max: 1, overlapTokens: 0 } };

/** Best of several rounds, so that other work on the machine counts as little as possible. */
function measureUsPerText(encode: (text: string) => unknown, texts: readonly string[]): number {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    for (const text of texts) encode(text);
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  return (bestMs * 1_000) / texts.length;
}

async function measureLoadMs(load: () => unknown): Promise<number> {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    await load();
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  return bestMs;
}

/** Short texts, and with every tenth one as long as a review; the made-up ones where the data sets are missing. */
function readCorpora(): Readonly<Record<string, readonly string[]>> {
  const synthetic = { "made-up": createSyntheticTexts().slice(0, TEXTS) };
  if (![ENGLISH, CHINESE].every((file) => existsSync(dataPath(file)))) return synthetic;
  const [short, chinese] = [ENGLISH, CHINESE].map((file) =>
    readFileSync(dataPath(file), "utf8").split("\n").slice(0, TEXTS),
  );
  const mixed = (short ?? []).map((text, i, all) =>
    i % 10 === 0 ? all.slice(i, i + LINES_IN_LONG_TEXT).join(" ") : text,
  );
  return { short: short ?? [], mixed, chinese: chinese ?? [], ...synthetic };
}

const tokenizerJson: unknown = JSON.parse(source);
const own = createWordPieceTokenizer({ tokenizerJson, ...limits });
const general = await createHuggingFaceTokenizer({ tokenizerJson, ...limits });
const library = new Library(JSON.parse(source), {});
const rows = Object.entries(readCorpora()).map(([corpus, texts]) => {
  const tokens = texts.reduce(
    (sum, text) => sum + (own.encode(text).windows[0]?.ids.length ?? 0),
    0,
  );
  const ownUs = measureUsPerText((text) => own.encode(text), texts);
  const generalUs = measureUsPerText((text) => general.encode(text), texts);
  const libraryUs = measureUsPerText((text) => library.encode(text), texts);
  return {
    texts: corpus,
    "tokens per text": (tokens / texts.length).toFixed(1),
    "WordPiece, texts/s": Math.round(1e6 / ownUs),
    "general, texts/s": Math.round(1e6 / generalUs),
    "library, texts/s": Math.round(1e6 / libraryUs),
    "WordPiece : library": (libraryUs / ownUs).toFixed(1),
  };
});
console.table(rows);
const parseMs = await measureLoadMs(() => JSON.parse(source));
const ownMs = await measureLoadMs(() => createWordPieceTokenizer({ tokenizerJson, ...limits }));
const libraryMs = await measureLoadMs(() => new Library(JSON.parse(source), {}));
console.log(
  `${Math.round(source.length / 1024)} KB of JSON parsed in ${parseMs.toFixed(1)} ms; then own ${ownMs.toFixed(1)} ms; ` +
    `library with parsing ${libraryMs.toFixed(1)} ms; ${availableParallelism()} cores`,
);
