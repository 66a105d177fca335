import type { OutgoingEvent } from "../ports/event-outbox.ts";
import type { Job } from "./job.ts";

/**
 * Makes the events that a job's change of state appends to the outbox; empty where nobody listens. A job with an address of its own has
 * one listener at least when it ends.
 */
export interface JobEvents {
  created(jobId: string): readonly OutgoingEvent[];
  /** @param job as it is after the change */
  ended(job: Job): readonly OutgoingEvent[];
  /** The job is removed, because the time for which it was kept is over. */
  expired(jobId: string): readonly OutgoingEvent[];
}

/** For those who tell nobody. */
export const NO_JOB_EVENTS: JobEvents = { created: () => [], ended: () => [], expired: () => [] };
