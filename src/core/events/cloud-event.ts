/**
 * Something that happened, as CloudEvents 1.0 describes it (https://github.com/cloudevents/spec, "CloudEvents - Version
 * 1.0.2"): the attributes that Sluice sets.
 */
export interface CloudEvent {
  readonly specversion: "1.0";
  /** Unique; the same event that is delivered twice has the same id. */
  readonly id: string;
  /** URI reference of the server that it happened in, e.g. `/sluice/gateway-0`. */
  readonly source: string;
  readonly type: CloudEventType;
  /** What it happened to, e.g. `jobs/job_…`. */
  readonly subject: string;
  /** RFC 3339. */
  readonly time: string;
  readonly datacontenttype: "application/json";
  /** URI of the JSON Schema of `data`. */
  readonly dataschema: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Every kind of event there is. The part behind `dev.sluice.` is the NATS subject, too. */
export const CLOUD_EVENT_TYPES = [
  "dev.sluice.prediction.logged",
  "dev.sluice.job.created",
  "dev.sluice.job.completed",
  "dev.sluice.job.failed",
  "dev.sluice.job.cancelled",
  "dev.sluice.job.expired",
  "dev.sluice.model.ready",
  "dev.sluice.model.failed",
  "dev.sluice.model.unloaded",
  "dev.sluice.release.changed",
  "dev.sluice.audit.recorded",
] as const;

export type CloudEventType = (typeof CLOUD_EVENT_TYPES)[number];
