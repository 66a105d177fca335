import { classify } from "../../core/inference/classify.ts";
import type { InferenceResult } from "../../core/inference/result.ts";
import { decodeClassify } from "../../protocols/native/decode-classify.ts";
import { encodeBatch, encodeSingle } from "../../protocols/native/encode-classify.ts";
import {
  classifyRequestSchema,
  classifyResponseSchema,
  errorResponseSchema,
} from "../../protocols/native/schema.ts";
import { jsonAnswer } from "../answer.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import { ConnectionWatch } from "../middleware/cancellation.ts";
import { readTimeoutMs, TIMEOUT_HEADER } from "../middleware/deadline.ts";
import type { Route } from "../route.ts";

/** `POST /classify`: bytes → decode → core → encode → bytes. */
export function createClassifyRoute(options: GatewayOptions): Route {
  const { limits, pipeline, defaultModel } = options;
  const connections = new ConnectionWatch();
  const timestampOf = createTimestamps();
  return {
    method: "POST",
    path: "/classify",
    access: "caller",
    schema: describeClassify(limits),
    handle: async (request) => {
      const decoded = decodeClassify(request.body, limits);
      const timeoutMs = readTimeoutMs(request.headers, limits);
      const result = await classify(
        {
          model: decoded.model ?? defaultModel,
          version: decoded.version,
          texts: decoded.texts,
          options: decoded.options,
          deadlineMs: request.context.startedMs + timeoutMs,
          cancellation: connections.watch(request.raw.socket),
        },
        pipeline,
      );
      request.context.stages = { ...result.timings, cache: cacheOutcome(result) };
      const encode = decoded.isBatch ? encodeBatch : encodeSingle;
      const context = { requestId: request.id, timestamp: timestampOf(pipeline.clock.epochMs()) };
      return jsonAnswer(200, encode(result, context));
    },
  };
}

/** Many answers leave within one millisecond; they share its text. */
function createTimestamps(): (epochMs: number) => string {
  let latestMs = Number.NaN;
  let latest = "";
  return (epochMs) => {
    if (epochMs !== latestMs) {
      latestMs = epochMs;
      latest = new Date(epochMs).toISOString();
    }
    return latest;
  };
}

function cacheOutcome({ items }: InferenceResult): "hit" | "miss" | "partial" {
  const hits = items.filter((item) => item.ok && item.source === "cache").length;
  if (hits === 0) return "miss";
  return hits === items.length ? "hit" : "partial";
}

function describeClassify(limits: GatewayOptions["limits"]) {
  return {
    summary: "Classify text",
    description: "One text, or a list of texts of which each gets its own answer.",
    tags: ["inference"],
    security: [{}, { apiKey: [] }],
    headers: {
      type: "object",
      properties: {
        [TIMEOUT_HEADER]: {
          type: "integer",
          minimum: 1,
          maximum: limits.maxDeadlineMs,
          description:
            "How long the caller waits; afterwards the answer is 504 and nothing is computed.",
        },
      },
    },
    body: classifyRequestSchema(limits),
    response: {
      200: { description: "Labels, best first.", ...classifyResponseSchema },
      400: {
        description: "The request is wrong; `details` names the fields.",
        ...errorResponseSchema,
      },
      401: { description: "An API key is missing, unknown or expired.", ...errorResponseSchema },
      404: {
        description: "No such model or version; the message lists what exists.",
        ...errorResponseSchema,
      },
      413: { description: "The body is too large.", ...errorResponseSchema },
      429: {
        description: "Allowance spent or server overloaded; see Retry-After.",
        ...errorResponseSchema,
      },
      503: { description: "The model is not ready.", ...errorResponseSchema },
      504: { description: "The deadline passed.", ...errorResponseSchema },
    },
  };
}
