/** What people chose for one model. */
export interface ModelChoice {
  /** Version that answers who names none; null = as the configuration says. */
  readonly pin: string | null;
  /** When that was chosen, milliseconds since 1970; null = never. It takes the place of what a release has left before. */
  readonly pinnedAtMs: number | null;
  /** Versions by their labels: names that callers may use in the place of a version. */
  readonly labels: Readonly<Record<string, string>>;
}

/** By model; models that nobody chose anything for are not in it. */
export type VersionChoices = ReadonlyMap<string, ModelChoice>;

export const NO_CHOICE: ModelChoice = { pin: null, pinnedAtMs: null, labels: {} };

/** What a label may be called. No version looks like one. */
export const LABEL_NAME = /^[a-z][a-z0-9-]{0,62}$/;
/** Labels of one model at most. */
export const MAX_LABELS_OF_MODEL = 100;

/** Whether nothing is chosen. */
export function isNoChoice({ pin, pinnedAtMs, labels }: ModelChoice): boolean {
  return pin === null && pinnedAtMs === null && Object.keys(labels).length === 0;
}
