import type { CloudEvent } from "../events/cloud-event.ts";

/** An event and where it is to go. */
export interface OutgoingEvent {
  readonly event: CloudEvent;
  /** Names of destinations (`webhooks.<name>`, `nats`), or addresses given by a caller (`url:https://…`); at least one. */
  readonly destinations: readonly string[];
}

/** A delivery that was handed to this process alone, for a while. */
export interface LeasedDelivery {
  readonly event: CloudEvent;
  readonly destination: string;
  /** How often it was handed out, this time included; from 1. */
  readonly attempt: number;
}

/** A delivery that was given up. */
export interface FailedDelivery extends LeasedDelivery {
  readonly reason: string;
  /** Milliseconds since the Unix epoch. */
  readonly failedAtMs: number;
}

/**
 * Keeps events until they are delivered, durably: what `append` has accepted survives the end of the process. At least
 * once: a delivery whose process dies is handed out again.
 *
 * Concurrency: calls may overlap freely, from any number of processes; a delivery has one lease at a time.
 * Ordering: oldest first by destination, as far as several processes and retries allow.
 */
export interface EventOutbox {
  readonly description: string;
  /** An event whose id is there already is not stored again. */
  append(events: readonly OutgoingEvent[]): Promise<void>;
  /**
   * Takes up to `max` deliveries that are due, of every destination that has some its share; without a settlement within `leaseMs` they
   * are handed out again.
   *
   * @param except destinations that are busy enough; theirs stay where they are
   */
  take(
    max: number,
    leaseMs: number,
    except?: readonly string[],
  ): Promise<readonly LeasedDelivery[]>;
  delivered(delivery: LeasedDelivery): Promise<void>;
  /** Hands the delivery out again after `delayMs` (≥ 0). */
  retry(delivery: LeasedDelivery, delayMs: number): Promise<void>;
  /** Gives a delivery up; it stays in the list of failed ones. */
  fail(delivery: LeasedDelivery, reason: string): Promise<void>;
  /** The newest first, at most `limit`. */
  listFailed(limit: number): Promise<readonly FailedDelivery[]>;
  count(): Promise<{ readonly waiting: number; readonly failed: number }>;
}
