/**
 * From which score on a label counts against a text; `undefined` for labels that never do.
 */
export type LabelFlags = (label: string) => number | undefined;

/** A score from which a label counts when its model states none. */
const DEFAULT_THRESHOLD = 0.5;

/**
 * Labels that say that nothing is wrong, in small letters with single hyphens. Names that say nothing, such as
 * `LABEL_0`, are not among them: what is not known to be harmless counts.
 */
export const HARMLESS_LABELS: ReadonlySet<string> = new Set([
  "acceptable",
  "allowed",
  "appropriate",
  "benign",
  "clean",
  "harmless",
  "ham",
  "neutral",
  "no",
  "no-hate",
  "non-hate",
  "non-offensive",
  "non-spam",
  "non-toxic",
  "none",
  "normal",
  "not-hate",
  "not-offensive",
  "not-spam",
  "not-toxic",
  "nothate",
  "nontoxic",
  "ok",
  "okay",
  "positive",
  "safe",
  "sfw",
]);

/**
 * The flags of a model of which nothing is known but its labels and their thresholds: every label counts that is not
 * called harmless.
 *
 * @param thresholds label → score from 0 to 1, as the model's package states them
 */
export function createLabelFlags(thresholds: Readonly<Record<string, number>> = {}): LabelFlags {
  const stated = new Map(Object.entries(thresholds));
  return (label) => {
    const plain = label
      .trim()
      .toLowerCase()
      .replace(/[\s_-]+/g, "-");
    if (HARMLESS_LABELS.has(plain)) return undefined;
    return stated.get(label) ?? DEFAULT_THRESHOLD;
  };
}
