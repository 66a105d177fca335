import type { DataFolder, Sentiment, SourcedText } from "./data-folder.ts";
import { readLines } from "./data-folder.ts";
import { toSentiment } from "./to-sentiment.ts";

/** Movie-review snippets, without the lines that are SST-2 dev or test sentences too. */
export async function readSentencePolarity(data: DataFolder): Promise<SourcedText[]> {
  const overlap = new Set<string>();
  for (const row of await readLines(data, "sentence_polarity/sst2_overlap_lines.tsv")) {
    const [file, line] = row.split("\t");
    overlap.add(`${file}:${line}`);
  }
  const texts: SourcedText[] = [];
  for (const [sentiment, file] of [
    ["negative", "rt-polarity.neg.txt"],
    ["positive", "rt-polarity.pos.txt"],
  ] as const) {
    const lines = await readLines(data, `sentence_polarity/${file}`);
    lines.forEach((text, i) => {
      if (overlap.has(`${file}:${i + 1}`)) return;
      texts.push({ text, sentiment, source: "sentence_polarity", part: file });
    });
  }
  return texts;
}

/** Phrases that reviewers of products put into the fields for pros and for cons. */
export async function readProsCons(data: DataFolder): Promise<SourcedText[]> {
  const texts: SourcedText[] = [];
  for (const [sentiment, file] of [
    ["negative", "IntegratedCons.txt"],
    ["positive", "IntegratedPros.txt"],
  ] as const) {
    for (const line of await readLines(data, `pros_cons/${file}`)) {
      const text = line.replace(/<\/?(Pros|Cons)>/g, "");
      texts.push({ text, sentiment, source: "pros_cons", part: file });
    }
  }
  return texts;
}

/**
 * Sentences of product reviews, one part per product. A sentence has a sentiment when the signs of all its annotations
 * agree; without annotation it is neutral; with signs both ways it is left out.
 */
export async function readProductReviews(data: DataFolder): Promise<SourcedText[]> {
  const texts: SourcedText[] = [];
  for (const file of await data.listFiles("product_reviews")) {
    if (!/^set\d_(?!README).*\.txt$/.test(file)) continue;
    const part = file.slice(0, -".txt".length);
    for (const line of await readLines(data, `product_reviews/${file}`)) {
      const separator = line.indexOf("##");
      const sentiment = separator < 0 ? undefined : judgeAnnotation(line.slice(0, separator));
      if (sentiment === undefined) continue;
      texts.push({ text: line.slice(separator + 2), sentiment, source: "product_reviews", part });
    }
  }
  return texts;
}

/** @param annotation e.g. `battery life[-2],price[+1]`. */
function judgeAnnotation(annotation: string): Sentiment | undefined {
  if (annotation === "") return "neutral";
  const signs = new Set([...annotation.matchAll(/\[([+-])\d?\]/g)].map(([, sign]) => sign));
  if (signs.size !== 1) return undefined;
  return signs.has("+") ? "positive" : "negative";
}

/** Reddit comments, emotions grouped to sentiments by the official table; `part` is the split. */
export async function readGoEmotions(
  data: DataFolder,
  split: "train" | "dev",
): Promise<SourcedText[]> {
  const labels = await readLines(data, "goemotions/labels.txt");
  const groups: Record<string, string[]> = JSON.parse(
    await data.readText("goemotions/sentiment_dict.json"),
  );
  const toGroup = (id: string) => {
    const emotion = labels[Number(id)] ?? "";
    return Object.keys(groups).find((group) => groups[group]?.includes(emotion)) ?? "neutral";
  };
  const texts: SourcedText[] = [];
  for (const line of await readLines(data, `goemotions/${split}.tsv`)) {
    const [text, ids] = line.split("\t");
    if (text === undefined || ids === undefined) continue;
    const sentiment = toSentiment(new Set(ids.split(",").map(toGroup)));
    if (sentiment !== undefined) texts.push({ text, sentiment, source: "goemotions", part: split });
  }
  return texts;
}

/** Whole movie reviews. */
export async function readMovieReviews(data: DataFolder): Promise<SourcedText[]> {
  const lines = await readLines(data, "movie_reviews/movie_reviews.jsonl.gz");
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const { text, label }: { text: string; label: string } = JSON.parse(line);
      const sentiment = label === "pos" ? "positive" : "negative";
      return { text, sentiment, source: "movie_reviews", part: "all" };
    });
}

/** Single words known to be positive or negative. */
export async function readOpinionLexicon(data: DataFolder): Promise<SourcedText[]> {
  const texts: SourcedText[] = [];
  for (const sentiment of ["negative", "positive"] as const) {
    const part = `${sentiment}-words.txt`;
    for (const text of await readLines(data, `opinion_lexicon/${part}`)) {
      if (!text.startsWith(";")) texts.push({ text, sentiment, source: "opinion_lexicon", part });
    }
  }
  return texts;
}
