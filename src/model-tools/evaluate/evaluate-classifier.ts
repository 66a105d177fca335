import { SluiceError } from "../../core/errors.ts";
import type { LabelledText } from "../data/labelled-text.ts";
import type { ClassificationMetrics, ScoredExample } from "./classification-metrics.ts";
import { computeClassificationMetrics } from "./classification-metrics.ts";

/** Something that classifies: the serving core around a model package, or a model in training. */
export interface Classifier {
  /** Index = position in the probabilities. */
  readonly labels: readonly string[];
  /** One row of probabilities per text, in order. Texts come as they were written, not normalized. */
  predict(texts: readonly string[]): Promise<readonly ArrayLike<number>[]>;
}

/** Texts per call: enough for batching, few enough that the progress is seen. */
const TEXTS_PER_CALL = 256;

/**
 * Measures a classifier on labelled texts.
 *
 * @param onProgress is called with the number of texts done.
 * @throws SluiceError `invalid_argument` when an example has a label that the classifier does not know.
 */
export async function evaluateClassifier(
  classifier: Classifier,
  examples: readonly LabelledText[],
  onProgress: (done: number) => void = () => {},
): Promise<ClassificationMetrics> {
  const indexes = new Map(classifier.labels.map((label, index) => [label, index]));
  const scored: ScoredExample[] = [];
  for (let start = 0; start < examples.length; start += TEXTS_PER_CALL) {
    const chunk = examples.slice(start, start + TEXTS_PER_CALL);
    const rows = await classifier.predict(chunk.map((example) => example.text));
    chunk.forEach((example, i) => {
      const label = indexes.get(example.label);
      const probabilities = rows[i];
      if (label === undefined) throw createUnknownLabelError(example.label, classifier.labels);
      if (probabilities === undefined) {
        throw new SluiceError("internal", "The classifier gave fewer rows than it got texts.");
      }
      scored.push({ label, probabilities });
    });
    onProgress(scored.length);
  }
  return computeClassificationMetrics(scored, classifier.labels.length);
}

function createUnknownLabelError(label: string, known: readonly string[]): SluiceError {
  return new SluiceError(
    "invalid_argument",
    `The model does not know the label ${JSON.stringify(label)}; it knows ${known.join(", ")}.`,
  );
}
