import type { FastifyRequest } from "fastify";
import type { Lane } from "../../core/inference/lanes.ts";
import type { TextInput } from "../../core/inference/request.ts";
import type { InferenceResult } from "../../core/inference/result.ts";
import { runInference } from "../../core/inference/run-inference.ts";
import type { TensorVersion } from "../../core/models/tensor-version.ts";
import type { Tensor } from "../../core/ports/tensor.ts";
import type { TensorResult } from "../../core/tensors/run-tensors.ts";
import { runTensors } from "../../core/tensors/run-tensors.ts";
import type { AnswerContext } from "../../protocols/native/encode-context.ts";
import type { DecodedOptions } from "../../protocols/native/field-reader.ts";
import { errorResponseSchema } from "../../protocols/native/schema.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import { ConnectionWatch } from "../middleware/cancellation.ts";
import { readTimeoutMs, TIMEOUT_HEADER } from "../middleware/deadline.ts";

/** What a protocol's decoder found in a request about texts. */
export interface DecodedRequest extends DecodedOptions {
  readonly inputs: readonly TextInput[];
}

/** What a protocol's decoder found in a request of tensors, once it knew the version and its signature. */
export interface DecodedTensors {
  readonly inputs: readonly Tensor[];
  /** `undefined` = all. */
  readonly outputs: readonly string[] | undefined;
  readonly lane: Lane;
}

/** The way from a decoded request to its result, the same for every protocol. */
export interface InferenceCaller {
  /** @throws SluiceError see `runInference` and `readTimeoutMs` */
  run(request: FastifyRequest, decoded: DecodedRequest): Promise<InferenceResult>;
  /**
   * The tensor model that a request means; `undefined` = the default model, or the default version.
   *
   * @throws SluiceError see `ModelRegistry.resolveTensors`
   */
  findTensors(model: string | undefined, version: string | undefined): TensorVersion;
  /** @throws SluiceError see `runTensors` and `readTimeoutMs` */
  runTensors(
    request: FastifyRequest,
    version: TensorVersion,
    decoded: DecodedTensors,
  ): Promise<TensorResult>;
  /** What the encoders of answers want to know about `request`. */
  contextOf(request: FastifyRequest): AnswerContext;
}

export function createInferenceCaller(options: GatewayOptions): InferenceCaller {
  const { limits, pipeline, defaultModel } = options;
  const connections = new ConnectionWatch();
  const timestampOf = createTimestamps();
  return {
    run: async (request, decoded) => {
      const timeoutMs = readTimeoutMs(request.headers, limits);
      const { caller, startedMs } = request.context;
      const result = await runInference(
        {
          model: decoded.model ?? defaultModel,
          version: decoded.version,
          inputs: decoded.inputs,
          options: decoded.options,
          lane: decoded.lane,
          flow: caller ?? NOBODY,
          deadlineMs: startedMs + timeoutMs,
          cancellation: connections.watch(request.raw.socket),
        },
        pipeline,
      );
      request.context.stages = { ...result.timings, cache: cacheOutcome(result) };
      return result;
    },
    findTensors: (model, version) =>
      pipeline.registry.resolveTensors(model ?? defaultModel, version),
    runTensors: async (request, version, decoded) => {
      const timeoutMs = readTimeoutMs(request.headers, limits);
      const { caller, startedMs } = request.context;
      const result = await runTensors(
        {
          ...decoded,
          flow: caller ?? NOBODY,
          deadlineMs: startedMs + timeoutMs,
          cancellation: connections.watch(request.raw.socket),
        },
        version,
        pipeline.clock,
      );
      const { queueMs, inferMs } = result;
      request.context.stages = { cacheMs: 0, tokenizeMs: 0, queueMs, inferMs, cache: "none" };
      return result;
    },
    contextOf: (request) => ({
      requestId: request.id,
      timestamp: timestampOf(pipeline.clock.epochMs()),
    }),
  };
}

/** Routes for callers always know who calls. */
const NOBODY = { id: "unknown", weight: 1 };

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

/** Headers that every request about texts may have, for the OpenAPI document. */
export function describeInferenceHeaders({ maxDeadlineMs }: GatewayOptions["limits"]) {
  return {
    type: "object",
    properties: {
      [TIMEOUT_HEADER]: {
        type: "integer",
        minimum: 1,
        maximum: maxDeadlineMs,
        description:
          "How long the caller waits; afterwards the answer is 504 and nothing is computed.",
      },
    },
  };
}

/** Errors that every request about texts may be answered with, for the OpenAPI document. */
export const INFERENCE_ERRORS = {
  400: { description: "The request is wrong; `details` names the fields.", ...errorResponseSchema },
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
};
