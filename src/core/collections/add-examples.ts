import { SluiceError } from "../errors.ts";
import type { InferenceOptions } from "../inference/request.ts";
import type { InferenceResult, ItemResult } from "../inference/result.ts";
import type { VectorMatch } from "../ports/vector-store.ts";
import { blendLabels } from "./blend-labels.ts";
import type { Neighborhood } from "./collection-service.ts";
import { voteNeighbors } from "./vote-neighbors.ts";

/** What a caller wants to know of examples beside a classification. */
export interface ExamplesWanted {
  readonly collection: string | undefined;
  /** Nearest labelled examples per text. */
  readonly neighbors: number;
  /** Of the examples against the model, 0 to 1. */
  readonly weight: number;
}

/** A classification with the examples that are near each text, and their say in it. */
export interface ResultWithExamples {
  readonly result: InferenceResult;
  /** By text, nearest first. */
  readonly neighbors: readonly (readonly VectorMatch[])[];
}

/**
 * Lets labelled neighbours have their say in a result. Texts that failed stay failed.
 *
 * @throws SluiceError `invalid_argument` when the model makes vectors
 */
export function addExamples(
  result: InferenceResult,
  { neighbors, metric }: Neighborhood,
  weight: number,
  options: InferenceOptions,
): ResultWithExamples {
  const items = result.items.map((item, index): ItemResult => {
    if (!item.ok) return item;
    if (item.prediction.kind === "vector") {
      throw new SluiceError(
        "invalid_argument",
        "This model makes vectors, not labels; ask one that classifies.",
      );
    }
    const shares = voteNeighbors(neighbors[index] ?? [], metric);
    return { ...item, prediction: blendLabels(item.prediction, shares, weight, options) };
  });
  return { result: { ...result, items }, neighbors };
}
