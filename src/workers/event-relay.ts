import { toSluiceError } from "../core/errors.ts";
import { toEventKind } from "../core/events/create-event.ts";
import type { RetryPolicy } from "../core/events/decide-retry.ts";
import { decideRetry } from "../core/events/decide-retry.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { DeliveryOutcome, EventDestination } from "../core/ports/event-destination.ts";
import type { EventOutbox, LeasedDelivery } from "../core/ports/event-outbox.ts";
import type { Logger } from "../core/ports/logger.ts";

export interface EventRelayOptions {
  readonly outbox: Pick<EventOutbox, "take" | "delivered" | "retry" | "fail">;
  /**
   * The destination of a name, as it stands in the outbox; undefined when there is none any more.
   *
   * @throws SluiceError when it may not be used
   */
  readonly findDestination: (name: string) => EventDestination | undefined;
  readonly clock: Pick<Clock, "setTimer">;
  readonly logger: Logger;
  /** 0 ≤ x < 1, each time another. */
  readonly random: () => number;
  readonly policy: RetryPolicy;
  /** Attempts that are under way at once. */
  readonly maxInFlight: number;
  /**
   * Attempts for one destination from which on no more of its deliveries are taken. What was taken together is sent together, so that
   * there are fewer than twice as many.
   */
  readonly maxInFlightPerDestination: number;
  /** Longer than the longest attempt. */
  readonly leaseMs: number;
  /** How often to look for events that other processes appended, or whose wait is over. */
  readonly pollMs: number;
}

export interface EventRelay {
  /** Looks for events at once; to be called when some were appended. */
  wake(): void;
  /** Takes no more and waits for the attempts that are under way. Idempotent. */
  close(): Promise<void>;
}

/**
 * Sends what is in the outbox, in this process, until it is closed. A destination that is slow fills its own share of the attempts and no
 * more. While the outbox cannot be reached it goes on trying.
 */
export function startEventRelay(options: EventRelayOptions): EventRelay {
  const relay = new Relay(options);
  const running = relay.run();
  return {
    wake: () => relay.wake(),
    close: async () => {
      relay.stop();
      await running;
    },
  };
}

class Relay {
  readonly #options: EventRelayOptions;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #busy = new Map<string, number>();
  #isStopped = false;
  #isDark = false;
  #isWoken = false;
  #wakeSleeper = () => {};

  constructor(options: EventRelayOptions) {
    this.#options = options;
  }

  wake(): void {
    this.#isWoken = true;
    this.#wakeSleeper();
  }

  stop(): void {
    this.#isStopped = true;
    this.wake();
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      const taken = await this.#take();
      for (const delivery of taken) this.#begin(delivery);
      if (taken.length === 0) await this.#sleep();
    }
    await Promise.all(this.#inFlight);
  }

  async #take(): Promise<readonly LeasedDelivery[]> {
    const { outbox, logger, maxInFlight, maxInFlightPerDestination, leaseMs } = this.#options;
    const max = Math.min(maxInFlight - this.#inFlight.size, maxInFlightPerDestination);
    this.#isWoken = false;
    if (max <= 0) return [];
    const full = [...this.#busy]
      .filter(([, count]) => count >= maxInFlightPerDestination)
      .map(([name]) => name);
    try {
      const taken = await outbox.take(max, leaseMs, full);
      if (this.#isDark) logger.info("The outbox of events can be reached again.");
      this.#isDark = false;
      return taken;
    } catch (thrown) {
      const { message: reason } = toSluiceError(thrown);
      // Once, and not again every other second.
      if (!this.#isDark) logger.warn("The outbox of events cannot be reached.", { reason });
      this.#isDark = true;
      this.#isWoken = false;
      return [];
    }
  }

  /** Until `wake` or the next look. */
  #sleep(): Promise<void> {
    if (this.#isWoken) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#options.clock.setTimer(this.#options.pollMs, resolve);
      this.#wakeSleeper = () => {
        cancel();
        resolve();
      };
    });
  }

  #begin(delivery: LeasedDelivery): void {
    const { destination } = delivery;
    const { maxInFlight, maxInFlightPerDestination } = this.#options;
    this.#busy.set(destination, (this.#busy.get(destination) ?? 0) + 1);
    const attempt = this.#deliver(delivery).finally(() => {
      const count = this.#busy.get(destination) ?? 0;
      const wasFull = this.#inFlight.size >= maxInFlight || count >= maxInFlightPerDestination;
      this.#inFlight.delete(attempt);
      if (count > 1) this.#busy.set(destination, count - 1);
      else this.#busy.delete(destination);
      // What was passed over may be taken now.
      if (wasFull) this.wake();
    });
    this.#inFlight.add(attempt);
  }

  async #deliver(delivery: LeasedDelivery): Promise<void> {
    const { outbox, logger, random, policy } = this.#options;
    const { event, attempt } = delivery;
    const outcome = await this.#send(delivery);
    const decision = decideRetry(attempt, outcome, random(), policy);
    const facts = {
      event: event.id,
      kind: toEventKind(event),
      destination: toLogName(delivery.destination),
      attempt,
    };
    try {
      if (decision.kind === "settle") await outbox.delivered(delivery);
      else if (decision.kind === "retry") await outbox.retry(delivery, decision.delayMs);
      else {
        await outbox.fail(delivery, decision.reason);
        logger.warn("An event was given up.", { ...facts, reason: decision.reason });
      }
    } catch (thrown) {
      // The lease runs out, and the event is sent again.
      const { message: reason } = toSluiceError(thrown);
      logger.warn("How a delivery went could not be written down.", { ...facts, reason });
    }
  }

  async #send({ event, destination: name, attempt }: LeasedDelivery): Promise<DeliveryOutcome> {
    let destination: EventDestination | undefined;
    try {
      destination = this.#options.findDestination(name);
    } catch (thrown) {
      return toFailure(toSluiceError(thrown).message, true);
    }
    if (destination === undefined) return toFailure("there is no such destination any more", true);
    try {
      return await destination.send(event, attempt);
    } catch (thrown) {
      return toFailure(toSluiceError(thrown).message, false);
    }
  }
}

function toFailure(reason: string, isFinal: boolean): DeliveryOutcome {
  return { kind: "failed", reason, isFinal, retryAfterMs: undefined };
}

/** Addresses of callers are often secrets themselves. */
function toLogName(destination: string): string {
  return destination.startsWith("url:") ? "url" : destination;
}
