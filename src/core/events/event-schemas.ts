import { toSchemaUri } from "./create-event.ts";
import type { EventDataByKind, EventKind } from "./event-data.ts";

/** JSON Schema of one field. */
export interface FieldSchema {
  readonly type: "string" | "integer" | "number" | readonly ["string" | "number", "null"];
  readonly description: string;
  readonly format?: "date-time";
  readonly minimum?: number;
  readonly maximum?: number;
}

/** JSON Schema (draft 2020-12) of one kind's data. Receivers should expect fields that are not in it yet. */
export interface EventSchema {
  readonly $schema: "https://json-schema.org/draft/2020-12/schema";
  readonly $id: string;
  readonly title: EventKind;
  readonly description: string;
  readonly type: "object";
  readonly properties: Readonly<Record<string, FieldSchema>>;
  readonly required: readonly string[];
}

interface KindText<Data> {
  readonly description: string;
  readonly fields: { readonly [Field in keyof Data]: FieldSchema };
}

const text = (description: string): FieldSchema => ({ type: "string", description });
const textOrNull = (description: string): FieldSchema => ({
  type: ["string", "null"],
  description,
});
const time = (description: string): FieldSchema => ({
  type: "string",
  format: "date-time",
  description,
});
const count = (description: string): FieldSchema => ({ type: "integer", minimum: 0, description });

const JOB_ID = text("The job, as `GET /v1/jobs/{id}` finds it.");
const ENDED = {
  job_id: JOB_ID,
  model: textOrNull("The model that the caller asked for; null is the default one."),
  version: textOrNull("The version that the caller asked for; null is whichever serves."),
  total_rows: count("Rows of the job."),
  done_rows: count("Rows that have an answer or an error."),
  failed_rows: count("Rows that have an error."),
  created_at: time("When it was submitted."),
  finished_at: { ...textOrNull("When it ended."), format: "date-time" },
  failure: textOrNull("Why the job as a whole failed."),
} as const;
const MODEL = text("Name of the model.");
const VERSION = text("Version of the model, major.minor.patch.");

const KINDS: { readonly [Kind in EventKind]: KindText<EventDataByKind[Kind]> } = {
  "prediction.logged": {
    description: "A text was answered. The text itself is not told.",
    fields: {
      request_id: text("The request, as its answer names it."),
      model: MODEL,
      version: VERSION,
      label: textOrNull("The best label; null where there is none."),
      confidence: {
        type: ["number", "null"],
        minimum: 0,
        maximum: 1,
        description: "Its confidence.",
      },
      duration_ms: { type: "number", minimum: 0, description: "Time that the answer took." },
    },
  },
  "job.created": {
    description: "A job was submitted whole and waits for a worker.",
    fields: { job_id: JOB_ID },
  },
  "job.completed": { description: "Every row has an answer or an error.", fields: ENDED },
  "job.failed": { description: "The job as a whole cannot go on.", fields: ENDED },
  "job.cancelled": { description: "A caller ended the job.", fields: ENDED },
  "job.expired": {
    description: "The job was removed with its rows, because its time was over.",
    fields: { job_id: JOB_ID },
  },
  "model.ready": {
    description: "A version takes requests.",
    fields: { model: MODEL, version: VERSION },
  },
  "model.failed": {
    description: "A version could not be loaded, or broke.",
    fields: { model: MODEL, version: VERSION, reason: text("Why, for people.") },
  },
  "model.unloaded": {
    description: "A version takes no requests any more.",
    fields: { model: MODEL, version: VERSION },
  },
  "release.changed": {
    description: "Traffic of a model moved from one version to another.",
    fields: {
      model: MODEL,
      from_version: textOrNull("The version that had the traffic; null when there was none."),
      to_version: text("The version that gets it."),
      share: {
        type: "number",
        minimum: 0,
        maximum: 1,
        description: "Share of the traffic that `to_version` has now.",
      },
      reason: text("Why, for people."),
    },
  },
  "audit.recorded": {
    description: "Somebody did something that is kept in the audit log.",
    fields: {
      actor: text("Id of the caller."),
      action: text("What was done."),
      target: text("What it was done to."),
      outcome: text("How it went."),
    },
  },
};

/** The JSON Schema of every kind's data, in the order of the reference page. */
export function listEventSchemas(): readonly EventSchema[] {
  return (Object.keys(KINDS) as EventKind[]).map((kind) => {
    const { description, fields } = KINDS[kind];
    const properties: Readonly<Record<string, FieldSchema>> = { ...fields };
    return {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $id: toSchemaUri(kind),
      title: kind,
      description,
      type: "object",
      properties,
      required: Object.keys(properties),
    };
  });
}
