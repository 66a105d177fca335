import { SluiceError } from "../errors.ts";

/**
 * The life of a model version in this process. Every legal step is in this table; anything else is a bug.
 *
 * discovered: it was found · fetching: its files come from another place · verifying: manifest and digests are being
 * checked · loading: tokenizer and backend start · warming: first runs · ready: may get traffic · draining: answers what
 * it has accepted · unloaded: memory is free · failed: see the reason; it may be tried again from the beginning.
 */
const NEXT_STATES = {
  discovered: ["fetching", "verifying"],
  fetching: ["verifying", "failed"],
  verifying: ["loading", "failed"],
  loading: ["warming", "failed"],
  warming: ["ready", "failed"],
  ready: ["draining"],
  draining: ["unloaded"],
  unloaded: ["discovered"],
  failed: ["discovered"],
} as const satisfies Record<string, readonly string[]>;

export type VersionState = keyof typeof NEXT_STATES;

export const VERSION_STATES = Object.keys(NEXT_STATES) as readonly VersionState[];

/** Whether a version may go from `from` to `to` in one step. */
export function isLegalTransition(from: VersionState, to: VersionState): boolean {
  const next: readonly VersionState[] = NEXT_STATES[from];
  return next.includes(to);
}

/** @throws SluiceError `internal` when the step is not in the table. */
export function assertTransition(from: VersionState, to: VersionState): void {
  if (isLegalTransition(from, to)) return;
  throw new SluiceError("internal", `A version cannot go from ${from} to ${to}.`);
}
