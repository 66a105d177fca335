import type { CloudEvent } from "./cloud-event.ts";
import type { EventDataByKind, EventKind } from "./event-data.ts";

/** What is told, and by whom. */
export interface EventFacts<Kind extends EventKind> {
  readonly kind: Kind;
  /** Unique; without full stops, which would part it in what webhooks sign. */
  readonly id: string;
  /** URI reference of the server, e.g. `/sluice/gateway-0`. */
  readonly source: string;
  /** E.g. `jobs/job_…`. */
  readonly subject: string;
  /** When it happened; milliseconds since the Unix epoch. */
  readonly epochMs: number;
  readonly data: EventDataByKind[Kind];
}

/** Makes an event of its facts. */
export function createEvent<Kind extends EventKind>(facts: EventFacts<Kind>): CloudEvent {
  const { kind, id, source, subject, epochMs, data } = facts;
  return {
    specversion: "1.0",
    id,
    source,
    type: `dev.sluice.${kind}`,
    subject,
    time: new Date(epochMs).toISOString(),
    datacontenttype: "application/json",
    dataschema: toSchemaUri(kind),
    data: { ...data },
  };
}

/** URI of the JSON Schema of a kind's data. It changes when receivers must read the data in another way. */
export function toSchemaUri(kind: EventKind): string {
  return `urn:sluice:schema:${kind}:1`;
}

/** The kind of an event, e.g. `job.completed`. */
export function toEventKind({ type }: Pick<CloudEvent, "type">): EventKind {
  return type.slice("dev.sluice.".length) as EventKind;
}
