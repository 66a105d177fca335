import type { InferenceOptions } from "../inference/request.ts";
import type { Prediction } from "../inference/result.ts";
import { rankLabels } from "../text/labels.ts";
import type { LabelShares } from "./vote-neighbors.ts";

type Labels = Extract<Prediction, { readonly kind: "labels" }>;

/**
 * A model's scores and the say of examples, as one prediction: (1 − weight) × score + weight × share, label by label. Labels
 * that only one of the two knows have 0 from the other; so examples may bring labels that the model never saw. Pure.
 *
 * @param weight of the examples, 0 to 1; without any share the model stays alone
 */
export function blendLabels(
  prediction: Labels,
  shares: LabelShares,
  weight: number,
  options: Pick<InferenceOptions, "topK" | "abstainBelow">,
): Labels {
  if (weight === 0 || shares.length === 0) return prediction;
  const { labels: known, scores } = prediction.all;
  const blended = new Map(known.map((label, i) => [label, (1 - weight) * (scores[i] ?? 0)]));
  for (const { label, share } of shares) {
    blended.set(label, (blended.get(label) ?? 0) + weight * share);
  }
  const labels = [...blended.keys()];
  const all = {
    labels,
    scores: Float32Array.from(blended.values()),
    logits: prediction.all.logits,
  };
  const ranked = rankLabels(
    all.scores,
    labels,
    options.topK ?? Math.max(1, prediction.labels.length),
  );
  const abstained = (ranked[0]?.score ?? 0) < (options.abstainBelow ?? 0);
  return { kind: "labels", labels: abstained ? [] : ranked, abstained, all };
}
