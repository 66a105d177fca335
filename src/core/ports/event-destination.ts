import type { CloudEvent } from "../events/cloud-event.ts";

/** How one attempt to deliver an event went. */
export type DeliveryOutcome =
  | { readonly kind: "delivered" }
  | {
      readonly kind: "failed";
      /** For people who look through the failed ones; without secrets, and without what the receiver wrote. */
      readonly reason: string;
      /** Nobody should try again: the receiver is gone for good, or its address is not allowed. */
      readonly isFinal: boolean;
      /** When the receiver wants to be asked again. */
      readonly retryAfterMs: number | undefined;
    };

/**
 * Where events go: a webhook, a message broker.
 *
 * Concurrency: calls may overlap. Time: an attempt ends by itself, within a limit that the driver has as an option.
 * Errors: none; what goes wrong is an outcome.
 */
export interface EventDestination {
  /** For the start screen and the log; without secrets. */
  readonly description: string;
  /** @param attempt from 1; the same event may come several times */
  send(event: CloudEvent, attempt: number): Promise<DeliveryOutcome>;
  /** Lets go of connections. Idempotent. */
  close(): Promise<void>;
}
