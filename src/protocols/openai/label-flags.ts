/** From which score on a label counts against a text; `undefined` for labels that never do. */
export type LabelFlags = (label: string) => number | undefined;

export interface FlagRules {
  /**
   * Labels that say that nothing is wrong. Letters' case does not matter, and blanks, underscores and hyphens are the
   * same. Names that say nothing, such as `LABEL_0`, should not be among them.
   */
  readonly harmless: readonly string[];
  /** Label → score from 0 to 1; `DEFAULT_THRESHOLD` for the others. */
  readonly thresholds: Readonly<Record<string, number>>;
}

/** A score from which a label counts when nobody states one. */
export const DEFAULT_THRESHOLD = 0.5;

/** Every label counts that is not called harmless. */
export function createLabelFlags({ harmless, thresholds }: FlagRules): LabelFlags {
  const plainHarmless = new Set(harmless.map(toPlain));
  const stated = new Map(Object.entries(thresholds));
  return (label) =>
    plainHarmless.has(toPlain(label)) ? undefined : (stated.get(label) ?? DEFAULT_THRESHOLD);
}

function toPlain(label: string): string {
  return label
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, "-");
}
