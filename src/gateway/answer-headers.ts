import type { FastifyRequest } from "fastify";
import type { StepTiming } from "../core/inference/result.ts";
import { formatMs } from "../protocols/decimal.ts";
import type { Allowance, RequestContext } from "./request-context.ts";

/** Name, value, name, value … as `writeHead` takes them. */
export type RawHeaders = string[];

/** Names the rule that delayed or aborted a request on purpose; also in the metadata of gRPC. */
export const FAULT_HEADER = "x-sluice-fault";

/** `default-src 'none'` suits everything but pages, which bring their own policy. */
const CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'";

/**
 * The headers that every answer carries: security, request id, allowance and where the time went. Written by hand and
 * as one flat list, because a header that goes through a framework's own bookkeeping costs about a microsecond.
 */
export function createAnswerHeaders(request: FastifyRequest, nowMs: number): RawHeaders {
  const { context } = request;
  const headers = [
    "x-content-type-options",
    "nosniff",
    "content-security-policy",
    CONTENT_POLICY,
    "cache-control",
    "no-store",
    "x-request-id",
    correlationId(request),
    "server-timing",
    formatServerTiming(context, nowMs),
  ];
  if (context.fault !== undefined) headers.push(FAULT_HEADER, context.fault);
  if (context.allowance !== undefined) pushAllowance(headers, context.allowance);
  return headers;
}

/** Callers' own ids come back, so that they find their requests again; anything odd is replaced by ours. */
function correlationId(request: FastifyRequest): string {
  const sent = request.headers["x-request-id"];
  return typeof sent === "string" && /^[\w.:-]{1,128}$/.test(sent) ? sent : request.id;
}

/** As in the IETF draft "RateLimit header fields for HTTP". */
function pushAllowance(headers: RawHeaders, allowance: Allowance): void {
  const { limit, remaining, windowSeconds, resetSeconds } = allowance;
  headers.push("ratelimit-policy", `"default";q=${limit};w=${windowSeconds}`);
  headers.push("ratelimit", `"default";r=${remaining};t=${resetSeconds}`);
}

/**
 * Value of the `Server-Timing` header (W3C Server Timing): where the time of this answer went, in milliseconds.
 * Answers that no model made have `auth` and `total` alone.
 */
function formatServerTiming(context: RequestContext, nowMs: number): string {
  const { stages } = context;
  const total = formatMs(nowMs - context.startedMs);
  const auth = formatMs(context.authMs);
  if (stages === undefined) return `auth;dur=${auth}, total;dur=${total}`;
  const cache = formatMs(stages.cacheMs);
  const tokenize = formatMs(stages.tokenizeMs);
  const queue = formatMs(stages.queueMs);
  const infer = formatMs(stages.inferMs);
  return `auth;dur=${auth}, cache;desc=${stages.cache};dur=${cache}, tokenize;dur=${tokenize}, queue;dur=${queue}, infer;dur=${infer}${formatSteps(stages.steps)}, total;dur=${total}`;
}

/** What a graph asked, in the order in which it was done. Names of models need no escaping. */
function formatSteps(steps: readonly StepTiming[] = []): string {
  return steps
    .map(({ name, durationMs }, at) => `, step${at + 1};desc="${name}";dur=${formatMs(durationMs)}`)
    .join("");
}
