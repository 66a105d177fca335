import type { CloudEventType } from "./cloud-event.ts";

/** The part of an event's type behind `dev.sluice.`, e.g. `job.completed`. */
export type EventKind = CloudEventType extends `dev.sluice.${infer Kind}` ? Kind : never;

/** A job was submitted whole. */
export interface JobCreatedData {
  readonly job_id: string;
}

/** A job ended. Times are RFC 3339. */
export interface JobEndedData {
  readonly job_id: string;
  /** As the caller asked for it; null = the default model. */
  readonly model: string | null;
  readonly version: string | null;
  readonly total_rows: number;
  readonly done_rows: number;
  readonly failed_rows: number;
  readonly created_at: string;
  readonly finished_at: string | null;
  /** Why the job as a whole failed. */
  readonly failure: string | null;
}

/** A job was removed with its rows, because its time was over. */
export interface JobExpiredData {
  readonly job_id: string;
}

/** A version of a model takes requests, or takes none any more. */
export interface ModelChangedData {
  readonly model: string;
  readonly version: string;
}

/** A version of a model could not be loaded, or broke. */
export interface ModelFailedData extends ModelChangedData {
  readonly reason: string;
}

/** A text was answered. The text is not part of it, nor anything that was made of it beside the label. */
export interface PredictionLoggedData extends ModelChangedData {
  readonly request_id: string;
  /** Null where the answer is no label, or the model abstained. */
  readonly label: string | null;
  /** 0 to 1. */
  readonly confidence: number | null;
  readonly duration_ms: number;
}

/** Traffic of a model moved from one version to another. */
export interface ReleaseChangedData {
  readonly model: string;
  readonly from_version: string | null;
  readonly to_version: string;
  /** Share of the traffic that `to_version` has now, 0 to 1. */
  readonly share: number;
  readonly reason: string;
}

/** Somebody did something that is kept in the audit log. */
export interface AuditRecordedData {
  /** Id of the caller. */
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly outcome: string;
}

/** What each kind of event carries. Names are those of the wire; what is unknown is null, never missing. */
export interface EventDataByKind {
  readonly "prediction.logged": PredictionLoggedData;
  readonly "job.created": JobCreatedData;
  readonly "job.completed": JobEndedData;
  readonly "job.failed": JobEndedData;
  readonly "job.cancelled": JobEndedData;
  readonly "job.expired": JobExpiredData;
  readonly "model.ready": ModelChangedData;
  readonly "model.failed": ModelFailedData;
  readonly "model.unloaded": ModelChangedData;
  readonly "release.changed": ReleaseChangedData;
  readonly "audit.recorded": AuditRecordedData;
}
