import { SluiceError } from "../../core/errors.ts";
import type { EventDestination } from "../../core/ports/event-destination.ts";
import type { WebhookOptions } from "./webhook.ts";
import { createWebhookDestination } from "./webhook.ts";

export interface DestinationOptions extends Omit<WebhookOptions, "url"> {
  /** Those of the operator, who may send to any address; the rules are for the addresses of callers. */
  readonly webhooks: readonly {
    readonly name: string;
    readonly url: string;
    readonly secrets: readonly string[];
  }[];
  /** Sign what goes to addresses that callers gave. */
  readonly secrets: readonly string[];
  /** `nats` and others, by their names. */
  readonly others: Readonly<Record<string, EventDestination>>;
}

export interface Destinations {
  /** Those of the configuration, for the start screen. */
  readonly descriptions: readonly string[];
  /**
   * The destination of a name as it stands in the outbox: `webhooks.<name>`, `url:https://…`, `nats`; undefined when there is none.
   *
   * @throws SluiceError `invalid_argument` when a caller's address is not allowed (any more)
   */
  find(name: string): EventDestination | undefined;
  /** Ends what is under way and closes all of them. Idempotent. */
  close(): Promise<void>;
}

/** Attempts to callers' addresses have no destination that lives on; beyond so many, those that are done are let go. */
const MAX_KEPT = 100;

/** All destinations by name. @throws SluiceError `invalid_argument` when a webhook's address or secret is not allowed */
export function createDestinations(options: DestinationOptions): Destinations {
  const { webhooks, others } = options;
  const named = new Map<string, EventDestination>(Object.entries(others));
  for (const { name, url, secrets } of webhooks) {
    if (named.has(`webhooks.${name}`)) {
      const message = `There are two webhooks of the name ${name}; give each its own.`;
      throw new SluiceError("invalid_argument", message);
    }
    const rules = { allowHttp: true, allowPrivateAddresses: true };
    const webhook = createWebhookDestination({ ...options, ...rules, url, secrets });
    named.set(`webhooks.${name}`, webhook);
  }
  const given = new Map<string, EventDestination>();
  return {
    descriptions: [...named.values()].map(({ description }) => description),
    find: (name) => {
      if (!name.startsWith("url:")) return named.get(name);
      const known = given.get(name);
      if (known !== undefined) return known;
      const url = name.slice("url:".length);
      const destination = createWebhookDestination({ ...options, url });
      // It holds no connection between attempts, so that forgetting it costs nothing.
      if (given.size >= MAX_KEPT) given.clear();
      given.set(name, destination);
      return destination;
    },
    close: async () => {
      await Promise.all([...named.values(), ...given.values()].map((one) => one.close()));
    },
  };
}
