import type { TrainingExample } from "../train/example-set.ts";
import type { Sentiment, SourcedText } from "./data-folder.ts";
import { hasPolarity } from "./sentiment-mix.ts";

/** In the order of the model's outputs. */
export const SENTIMENT_LABELS = ["negative", "positive"] as const;

/**
 * How much one text of a source counts. Chosen on held-out parts of the training sources: carefully written and small
 * sets count more, large and automatically labelled ones less, so that none drowns the others.
 */
const SOURCE_WEIGHTS: Readonly<Record<string, number>> = {
  sentence_polarity: 8,
  movie_reviews: 2,
  zh_weibo_emotion: 3,
  goemotions: 2,
  product_reviews: 2,
  xed: 1,
  zh_conversation_sentiment: 2,
  pros_cons: 0.7,
  opinion_lexicon: 0.5,
  xed_chinese: 0.5,
};

/** A neutral text counts this much, half as negative and half as positive: it teaches which words say nothing. */
const NEUTRAL_WEIGHT = 0.5;

/**
 * Turns the mix into training examples. Within every source both sentiments weigh the same, so that the model does not
 * learn which source a text is from and how that source leans.
 */
export function toTrainingExamples(texts: readonly SourcedText[]): TrainingExample[] {
  const counts = new Map<string, number>();
  const toKey = (source: string, sentiment: Sentiment) => `${source} ${sentiment}`;
  for (const { source, sentiment } of texts) {
    const key = toKey(source, sentiment);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return texts.flatMap((example) => {
    const { text, source, sentiment } = example;
    if (!hasPolarity(example)) {
      const weight = NEUTRAL_WEIGHT / 2;
      return SENTIMENT_LABELS.map((_, label) => ({ text, label, weight }));
    }
    const negative = counts.get(toKey(source, "negative")) ?? 0;
    const positive = counts.get(toKey(source, "positive")) ?? 0;
    const own = sentiment === "positive" ? positive : negative;
    const weight = ((SOURCE_WEIGHTS[source] ?? 1) * (negative + positive)) / (2 * own);
    return [{ text, label: sentiment === "positive" ? 1 : 0, weight }];
  });
}
