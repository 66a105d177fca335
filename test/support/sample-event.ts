import type { CloudEvent } from "../../src/core/events/cloud-event.ts";
import { createEvent } from "../../src/core/events/create-event.ts";

/** An event that says nothing but its id. */
export function toSampleEvent(id: string, epochMs = 1_700_000_000_000): CloudEvent {
  return createEvent({
    kind: "job.created",
    id,
    source: "/sluice/test",
    subject: `jobs/${id}`,
    epochMs,
    data: { job_id: id },
  });
}
