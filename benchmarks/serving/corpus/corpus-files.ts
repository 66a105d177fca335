import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** Texts of public data sets, by the kind of text. */
export interface CorpusFiles {
  /** Sentences of film reviews (sentence_polarity). */
  readonly sentences: readonly string[];
  /** Phrases about products (pros_cons). */
  readonly phrases: readonly string[];
  /** Comments from a forum (goemotions). */
  readonly comments: readonly string[];
  /** Whole film reviews, hundreds of words (movie_reviews). */
  readonly reviews: readonly string[];
  /** Lines of Chinese chats (zh_conversation_sentiment). */
  readonly chinese: readonly string[];
}

const FILES = {
  sentences: ["sentence_polarity/rt-polarity.pos.txt", "sentence_polarity/rt-polarity.neg.txt"],
  phrases: ["pros_cons/IntegratedPros.txt", "pros_cons/IntegratedCons.txt"],
  comments: ["goemotions/train.tsv"],
  reviews: ["movie_reviews/movie_reviews.jsonl.gz"],
  chinese: ["zh_conversation_sentiment/sentiment_XS_30k.txt"],
} as const satisfies Record<keyof CorpusFiles, readonly string[]>;

/** Reads the data sets below `directory`; `undefined` when any of them is not there. */
export function readCorpusFiles(directory: string): CorpusFiles | undefined {
  const paths = Object.values(FILES).flat();
  if (!paths.every((path) => existsSync(join(directory, path)))) return undefined;
  const lines = (kind: keyof CorpusFiles) =>
    FILES[kind].flatMap((path) => readLines(join(directory, path)));
  return {
    sentences: lines("sentences"),
    phrases: lines("phrases").map((line) => line.replace(/<\/?(Pros|Cons)>/g, "").trim()),
    comments: lines("comments").map((line) => line.split("\t")[0] ?? ""),
    reviews: lines("reviews").map((line) => (JSON.parse(line) as { text: string }).text),
    // A header, then label and words with blanks between them, which Chinese does not have.
    chinese: lines("chinese")
      .slice(1)
      .map((line) => line.slice(line.indexOf(",") + 1).replaceAll(" ", "")),
  };
}

function readLines(path: string): string[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  return text.split(/\r?\n/).filter((line) => line.trim() !== "");
}
