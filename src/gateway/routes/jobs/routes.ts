import { randomBytes } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { SluiceError } from "../../../core/errors.ts";
import { createJobId } from "../../../core/jobs/job-id.ts";
import { decodeJobList } from "../../../protocols/native/jobs/decode-job.ts";
import { encodeJob, encodeJobList } from "../../../protocols/native/jobs/encode-job.ts";
import {
  chooseResultFormat,
  encodeResults,
} from "../../../protocols/native/jobs/encode-results.ts";
import type { Answer } from "../../answer.ts";
import { jsonAnswer } from "../../answer.ts";
import type { GatewayOptions, JobOptions } from "../../gateway-options.ts";
import { ConnectionWatch } from "../../middleware/cancellation.ts";
import type { Route } from "../../route.ts";
import { decodeSubmission } from "./decode-submission.ts";
import {
  describeCancel,
  describeFind,
  describeList,
  describeRemove,
  describeResults,
  describeRetry,
  describeSubmit,
  describeWatch,
} from "./schema.ts";
import { watchJob } from "./watch-job.ts";

const MAX_KEY_LENGTH = 255;
const WATCH_INTERVAL_MS = 500;

/** `/v1/jobs` and what is below. */
export function createJobRoutes({ pipeline, server }: GatewayOptions, jobs: JobOptions): Route[] {
  const { service } = jobs;
  const { clock } = pipeline;
  const answerJob = (status: number, job: Parameters<typeof encodeJob>[0]): Answer =>
    jsonAnswer(status, encodeJob(job, clock.epochMs()));
  const connections = new ConnectionWatch();
  const limits = { ...server, maxUploadBytes: jobs.maxUploadBytes };
  return [
    {
      method: "POST",
      path: "/v1/jobs",
      access: "caller",
      body: "stream",
      schema: describeSubmit(),
      handle: async (request) => {
        const idempotencyKey = readKey(request);
        const cancellation = connections.watch(request.raw.socket);
        const origins = { sources: jobs.sources, cancellation };
        const decoded = await decodeSubmission(request, limits, origins);
        const { webhookUrl } = decoded.request;
        if (webhookUrl !== undefined) jobs.assertWebhookUrl(webhookUrl);
        const id = createJobId(clock.epochMs(), randomBytes(16));
        const owner = ownerOf(request);
        const { job, isNew } = await service.submit({ ...decoded, id, owner, idempotencyKey });
        const answer = answerJob(isNew ? 201 : 200, job);
        return { ...answer, headers: ["location", `/v1/jobs/${job.id}`] };
      },
    },
    {
      method: "GET",
      path: "/v1/jobs",
      access: "caller",
      schema: describeList(),
      handle: async (request) => {
        const { limit, after } = decodeJobList(queryOf(request));
        const range = after === undefined ? { limit } : { limit, after };
        const found = await service.list(ownerOf(request), range);
        return jsonAnswer(200, encodeJobList(found, limit, clock.epochMs()));
      },
    },
    {
      method: "GET",
      path: "/v1/jobs/:id",
      access: "caller",
      schema: describeFind(),
      handle: async (request) => answerJob(200, await service.find(...whoseJob(request))),
    },
    {
      method: "GET",
      path: "/v1/jobs/:id/events",
      access: "caller",
      schema: describeWatch(),
      handle: async (request) => {
        const [owner, id] = whoseJob(request);
        const job = await service.find(owner, id);
        const parts = watchJob({ owner, job, intervalMs: WATCH_INTERVAL_MS }, service, clock);
        return { status: 200, contentType: "text/event-stream; charset=utf-8", parts };
      },
    },
    {
      method: "GET",
      path: "/v1/jobs/:id/results",
      access: "caller",
      schema: describeResults(),
      handle: async (request) => {
        const format = chooseResultFormat(queryOf(request)["format"], request.headers.accept);
        if (format === undefined) throw unknownFormat();
        const results = await service.results(...whoseJob(request));
        const { contentType } = format;
        return { status: 200, contentType, parts: encodeResults(results, format) };
      },
    },
    {
      method: "POST",
      path: "/v1/jobs/:id/cancel",
      access: "caller",
      body: "bytes",
      schema: describeCancel(),
      handle: async (request) => answerJob(200, await service.cancel(...whoseJob(request))),
    },
    {
      method: "POST",
      path: "/v1/jobs/:id/retry",
      access: "caller",
      body: "bytes",
      schema: describeRetry(),
      handle: async (request) => answerJob(200, await service.retryFailed(...whoseJob(request))),
    },
    {
      method: "DELETE",
      path: "/v1/jobs/:id",
      access: "caller",
      body: "bytes",
      schema: describeRemove(),
      handle: async (request) => {
        await service.remove(...whoseJob(request));
        return { status: 204, contentType: "", body: "" };
      },
    },
  ];
}

/** Whose job, and which. */
function whoseJob(request: FastifyRequest): [owner: string, id: string] {
  const { id } = request.params as { readonly id: string };
  return [ownerOf(request), id];
}

function ownerOf({ context }: FastifyRequest): string {
  return context.caller?.id ?? "unknown";
}

function queryOf({ query }: FastifyRequest): Readonly<Record<string, string>> {
  return query as Readonly<Record<string, string>>;
}

/** @throws SluiceError `invalid_argument` for a key that is none */
function readKey(request: FastifyRequest): string | undefined {
  const key = request.headers["idempotency-key"];
  if (key === undefined) return undefined;
  if (typeof key === "string" && /^[\x21-\x7e]+$/.test(key) && key.length <= MAX_KEY_LENGTH) {
    return key;
  }
  const problem = `must hold 1 to ${MAX_KEY_LENGTH} visible ASCII characters`;
  throw new SluiceError("invalid_argument", `Idempotency-Key ${problem}.`, {
    details: [{ field: "idempotency-key", problem }],
  });
}

function unknownFormat(): SluiceError {
  const problem = "must be ndjson or csv";
  return new SluiceError("invalid_argument", `format ${problem}.`, {
    details: [{ field: "format", problem }],
  });
}
