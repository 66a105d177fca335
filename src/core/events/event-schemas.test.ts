import { Ajv2020 } from "ajv/dist/2020.js";
import { CloudEvent as OfficialEvent } from "cloudevents";
import { expect, test } from "vitest";
import { MODEL_DEFAULTS } from "../inference/request.ts";
import { createJobEvents } from "../jobs/create-job-events.ts";
import type { Job } from "../jobs/job.ts";
import { CLOUD_EVENT_TYPES } from "./cloud-event.ts";
import { createEvent, toEventKind } from "./create-event.ts";
import { listEventSchemas } from "./event-schemas.ts";

const ajv = new Ajv2020({ strict: true, formats: { "date-time": true } });
const validators = new Map(
  listEventSchemas().map((schema) => [schema.$id, ajv.compile(schema)] as const),
);

test("every kind of event has a schema, and no schema is left over", () => {
  const kinds = CLOUD_EVENT_TYPES.map((type) => toEventKind({ type }));
  expect(listEventSchemas().map(({ title }) => title)).toEqual(kinds);
});

const JOB: Job = {
  id: "job_01",
  state: "completed",
  owner: "key:a",
  request: {
    model: undefined,
    version: undefined,
    options: MODEL_DEFAULTS,
    webhookUrl: "https://example.org/hook",
  },
  idempotencyKey: undefined,
  inputDigest: undefined,
  ...{ totalRows: 3, doneRows: 3, failedRows: 1, chunks: 1, round: 2 },
  ...{ createdAtMs: 1000, startedAtMs: 2000, finishedAtMs: 3000, expiresAtMs: 9000 },
  failure: undefined,
};

test("the events of a job are CloudEvents, and their data is what the schema says", () => {
  const events = createJobEvents({
    source: "/sluice/test",
    epochMs: () => 5000,
    destinationsOf: (kind) => (kind === "job.failed" ? [] : ["nats"]),
  });
  const outgoing = [
    ...events.created(JOB.id),
    ...events.ended(JOB),
    ...events.ended({ ...JOB, state: "failed", finishedAtMs: undefined, failure: "no model" }),
    ...events.ended({ ...JOB, state: "cancelled" }),
  ];
  expect(outgoing.map(({ event, destinations }) => [event.id, ...destinations])).toEqual([
    ["job_01-created", "nats"],
    ["job_01-completed-2", "nats", "url:https://example.org/hook"],
    ["job_01-failed-2", "url:https://example.org/hook"],
    ["job_01-cancelled-2", "nats", "url:https://example.org/hook"],
  ]);
  for (const { event } of outgoing) {
    expect(() => new OfficialEvent({ ...event }, true)).not.toThrow();
    const validate = validators.get(event.dataschema);
    expect(validate?.(event.data), JSON.stringify(validate?.errors)).toBe(true);
  }
  expect(events.ended({ ...JOB, state: "running" })).toEqual([]);
});

test("data that lacks a field or has a wrong one is not what the schema says", () => {
  const event = createEvent({
    ...{ kind: "prediction.logged", id: "e1", source: "/s", subject: "requests/r", epochMs: 0 },
    data: {
      ...{ request_id: "r", model: "m", version: "1.0.0" },
      ...{ label: null, confidence: null, duration_ms: 1.5 },
    },
  });
  const validate = validators.get(event.dataschema);
  expect(validate?.(event.data)).toBe(true);
  expect(validate?.({ ...event.data, confidence: 1.5 })).toBe(false);
  const { request_id: _, ...rest } = event.data;
  expect(validate?.(rest)).toBe(false);
});
