import { createEvent } from "../events/create-event.ts";
import type { EventKind } from "../events/event-data.ts";
import type { OutgoingEvent } from "../ports/event-outbox.ts";
import type { ReleaseEvent } from "./decision.ts";

export interface ReleaseEventOptions {
  /** URI reference of this server. */
  readonly source: string;
  /** Names of the destinations that want a kind; may be none. */
  readonly destinationsOf: (kind: EventKind) => readonly string[];
}

/** Actions after which requests go another way, or nobody decides any more. */
const TOLD: ReadonlySet<ReleaseEvent["action"]> = new Set([
  "start",
  "advance",
  "promote",
  "rollback",
  "restart",
  "finish",
]);

/** What receivers of events are told of decisions: where the traffic goes from now on, and why. */
export function createReleaseEvents({
  source,
  destinationsOf,
}: ReleaseEventOptions): (event: ReleaseEvent) => readonly OutgoingEvent[] {
  return ({ action, releaseId, model, stable, candidate, revision, weight, message, atMs }) => {
    const kind = "release.changed" as const;
    const destinations = destinationsOf(kind);
    if (destinations.length === 0 || !TOLD.has(action)) return [];
    const isBack = weight === 0 && (action === "rollback" || action === "finish");
    const event = createEvent({
      kind,
      id: `${releaseId}-${revision}-${action}-${atMs}`,
      source,
      subject: `models/${model}`,
      epochMs: atMs,
      data: {
        model,
        from_version: isBack ? candidate : stable,
        to_version: isBack ? stable : candidate,
        share: isBack ? 1 : weight / 100,
        reason: message,
      },
    });
    return [{ event, destinations }];
  };
}
