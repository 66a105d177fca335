import type { EventKind } from "./event-data.ts";

/** A receiver and what it wants. */
export interface Subscription {
  /** As the outbox names it: `webhooks.<name>` or `nats`. */
  readonly destination: string;
  /** Kinds, or a first word with a star, such as `job.*`; undefined = all but the log of predictions. */
  readonly kinds: readonly string[] | undefined;
}

/** Names of the destinations that want a kind, in the order of `subscriptions`. */
export function selectDestinations(
  kind: EventKind,
  subscriptions: readonly Subscription[],
): readonly string[] {
  return subscriptions
    .filter(({ kinds }) => isWanted(kind, kinds))
    .map(({ destination }) => destination);
}

function isWanted(kind: EventKind, kinds: readonly string[] | undefined): boolean {
  if (kinds === undefined) return kind !== "prediction.logged";
  const family = `${kind.slice(0, kind.indexOf("."))}.*`;
  return kinds.includes(kind) || kinds.includes(family);
}
