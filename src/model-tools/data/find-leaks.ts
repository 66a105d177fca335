import { toTextKey } from "./text-key.ts";

/** Texts of a test set that also are in the training set. */
export interface LeakReport {
  readonly testCount: number;
  readonly leaks: readonly string[];
}

/** Compares without case, blanks and punctuation, see {@link toTextKey}. */
export function findLeaks(
  trainingTexts: Iterable<string>,
  testTexts: readonly string[],
): LeakReport {
  const trained = new Set<string>();
  for (const text of trainingTexts) trained.add(toTextKey(text));
  return {
    testCount: testTexts.length,
    leaks: testTexts.filter((text) => trained.has(toTextKey(text))),
  };
}
