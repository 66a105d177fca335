import type { Opinion } from "./blend-scores.ts";
import { bestOf } from "./blend-scores.ts";
import type { Condition, WrittenLanguage } from "./graph.ts";

/** What a condition looks at. */
export interface Circumstances {
  /** Asked only when a condition is about the language. */
  readonly language: () => WrittenLanguage | undefined;
  /** The answer so far; `undefined` when there is none, or it has no labels. */
  readonly opinion: Opinion | undefined;
}

/** Whether everything that the condition names is true. A condition about an answer never holds where there is none. */
export function isMet(condition: Condition, { language, opinion }: Circumstances): boolean {
  const { label, confidenceBelow, confidenceAtLeast } = condition;
  if (condition.language !== undefined && condition.language !== language()) return false;
  if (!looksAtAnswer(condition)) return true;
  const best = opinion === undefined ? undefined : bestOf(opinion);
  if (best === undefined) return false;
  if (label !== undefined && best.label !== label) return false;
  if (confidenceBelow !== undefined && best.score >= confidenceBelow) return false;
  return confidenceAtLeast === undefined || best.score >= confidenceAtLeast;
}

/** Whether a condition is about more than the text. */
export function looksAtAnswer(condition: Condition): boolean {
  const { label, confidenceBelow, confidenceAtLeast } = condition;
  return label !== undefined || confidenceBelow !== undefined || confidenceAtLeast !== undefined;
}
