import type { FaultRule } from "../faults/fault-rule.ts";

/** A rule that was set, or taken away: `rule` is null then. */
export interface FaultChange {
  readonly name: string;
  readonly rule: FaultRule | null;
}

/**
 * Tells the other processes of this machine of changes to faults. Nothing comes back to who sent it. A process that
 * starts later hears what still holds.
 */
export interface FaultExchange {
  send(change: FaultChange): void;
  /** One listener; a later one takes its place. */
  onChange(listener: (change: FaultChange) => void): void;
}
