import { errorResponseSchema } from "../../../protocols/native/schema.ts";

/** What the OpenAPI document says about jobs. */

const number = (description: string) => ({ type: ["number", "null"], description });
const time = (description: string) => ({
  type: ["string", "null"],
  format: "date-time",
  description,
});

const jobSchema = {
  type: "object",
  required: ["id", "state", "rows", "progress", "created_at", "expires_at"],
  properties: {
    id: { type: "string" },
    state: { enum: ["receiving", "queued", "running", "completed", "failed", "cancelled"] },
    model: { type: ["string", "null"] },
    model_version: { type: ["string", "null"] },
    rows: {
      type: "object",
      properties: {
        total: { type: "integer" },
        done: { type: "integer", description: "Rows with an answer or an error of their own." },
        failed: { type: "integer" },
      },
    },
    progress: { type: "number", minimum: 0, maximum: 1 },
    rows_per_second: number("Pace since the job began."),
    eta_seconds: number("What is left at that pace."),
    created_at: time("When it was submitted."),
    started_at: time("When its first rows were begun."),
    finished_at: time("When it ended."),
    expires_at: time("When it is removed with its results."),
    webhook_url: { type: ["string", "null"] },
    idempotency_key: { type: ["string", "null"] },
    failure: { type: ["string", "null"], description: "Why it failed as a whole." },
  },
};

const ERRORS = {
  401: { description: "An API key is missing, unknown or expired.", ...errorResponseSchema },
  404: { description: "None of your jobs has this id.", ...errorResponseSchema },
  429: { description: "Allowance spent; see Retry-After.", ...errorResponseSchema },
  503: { description: "The store of jobs does not answer.", ...errorResponseSchema },
};

const CONFLICT = {
  409: { description: "The job's state does not allow it.", ...errorResponseSchema },
};

const base = (summary: string, description: string) => ({
  summary,
  description,
  tags: ["jobs"],
  security: [{}, { apiKey: [] }],
});

const byId = {
  params: { type: "object", required: ["id"], properties: { id: { type: "string" } } },
};

const aJob = (description: string) => ({ description, ...jobSchema });

export function describeSubmit() {
  return {
    ...base(
      "Submit a job",
      "Texts that are answered without anybody waiting: JSON `{texts | rows | source, model, …}`, or rows as `application/x-ndjson` or `text/csv` (column `text`, also `pair`, `id`) with the other fields in the query. Uploads are read as they come in; the job exists once all of it is stored. `source` is `{url, format?, text_column?, pair_column?, id_column?}`: the server fetches the rows from there while this request waits (`format` is `csv` or `ndjson`; left out, the answer's Content-Type or the end of the address tells), from hosts that `jobs.sources.allowedHosts` names.",
    ),
    headers: {
      type: "object",
      properties: {
        "idempotency-key": {
          type: "string",
          description:
            "The same key with the same content is the same job, however often it is sent.",
        },
      },
    },
    response: {
      200: aJob("This key and content were submitted before; their job."),
      201: aJob("The job, stored with all its rows."),
      400: {
        description: "A field or the CSV is wrong, or what is at source.url.",
        ...errorResponseSchema,
      },
      403: { description: "Rows may not be fetched from source.url.", ...errorResponseSchema },
      413: { description: "Too many rows or bytes.", ...errorResponseSchema },
      415: { description: "A body of another type.", ...errorResponseSchema },
      ...CONFLICT,
      ...ERRORS,
    },
  };
}

export function describeList() {
  return {
    ...base("List your jobs", "Newest first; `next` is the `after` of the following page."),
    querystring: {
      type: "object",
      properties: {
        limit: { type: "integer", minimum: 1, maximum: 100, default: 20 },
        after: { type: "string" },
      },
    },
    response: {
      200: {
        description: "Your jobs.",
        type: "object",
        properties: {
          jobs: { type: "array", items: jobSchema },
          next: { type: ["string", "null"] },
        },
      },
      ...ERRORS,
    },
  };
}

export function describeFind() {
  return {
    ...base("Look at a job", "Its state, progress, pace and what is left."),
    ...byId,
    response: { 200: aJob("The job."), ...ERRORS },
  };
}

export function describeWatch() {
  return {
    ...base(
      "Watch a job",
      "Server-sent events: `progress` with the job while it runs, then one named after the state it ended in.",
    ),
    ...byId,
    response: { 200: { description: "text/event-stream", type: "string" }, ...ERRORS },
  };
}

export function describeResults() {
  return {
    ...base(
      "Read a job's results",
      "One line per row, in the order of the rows, each with its answer or its own error: NDJSON, or CSV by `?format=csv` or `Accept: text/csv`.",
    ),
    ...byId,
    querystring: { type: "object", properties: { format: { enum: ["ndjson", "csv"] } } },
    response: {
      200: { description: "The rows.", type: "string" },
      ...CONFLICT,
      ...ERRORS,
    },
  };
}

export function describeCancel() {
  return {
    ...base("Cancel a job", "Rows that were answered keep their results."),
    ...byId,
    response: { 200: aJob("The job, cancelled."), ...CONFLICT, ...ERRORS },
  };
}

export function describeRetry() {
  return {
    ...base("Try failed rows again", "Only rows with an error are asked again."),
    ...byId,
    response: { 200: aJob("The job, queued again."), ...CONFLICT, ...ERRORS },
  };
}

export function describeRemove() {
  return {
    ...base("Remove a job", "With its rows and results; it must have ended."),
    ...byId,
    response: { 204: { description: "Removed.", type: "null" }, ...CONFLICT, ...ERRORS },
  };
}
