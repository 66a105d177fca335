import type { FastifyRequest } from "fastify";
import { encodeTensorFlowError } from "../../../protocols/tensorflow-serving/encode-error.ts";
import { malformed } from "../../../protocols/tensorflow-serving/malformed.ts";
import { parseModelPath } from "../../../protocols/tensorflow-serving/model-path.ts";
import type { ProtocolArea } from "../../address-book.ts";
import type { Answer } from "../../answer.ts";
import type { GatewayOptions } from "../../gateway-options.ts";
import type { Route } from "../../route.ts";
import type { InferenceCaller } from "../inference.ts";
import { createMetricsRoute } from "../metrics.ts";
import { describeAll, describeMetadata, describeStatus } from "./describe.ts";
import { answerVerb } from "./infer.ts";

/** Every address below `/v1/models`; what is none of them is a malformed request, never an unknown address. */
export const TENSORFLOW_SERVING_AREA: ProtocolArea = {
  prefix: "/v1/models",
  encodeError: encodeTensorFlowError,
  describeUnknown: toMalformed,
};

/** What TensorFlow Serving says of an address below `/v1` that it does not have. */
export function toMalformed(method: string, path: string) {
  return malformed(`Malformed request: ${method} ${path}`, "path");
}

const SHARED = {
  access: "caller",
  encodeError: encodeTensorFlowError,
  body: "bytes",
  compresses: true,
} as const;

/**
 * What clients of TensorFlow Serving find below `/v1/models`, and with it those of KServe's first protocol and of OpenAI.
 * The addresses have a grammar of their own, so there is one route for all of them.
 */
export function createTensorFlowServingRoutes(
  options: GatewayOptions,
  inference: InferenceCaller,
): readonly Route[] {
  const { maxTensorBodyBytes: maxBodyBytes } = options.server;
  const read = (request: FastifyRequest): Answer => {
    const path = parseModelPath("GET", pathOf(request));
    if (path.kind === "list") return toAnswer(describeAll(options));
    if (path.kind === "status") return toAnswer(describeStatus(options, path));
    return toAnswer(describeMetadata(options, inference, path));
  };
  const ask = async (request: FastifyRequest): Promise<Answer> => {
    const path = parseModelPath("POST", pathOf(request));
    if (path.kind === "list" || path.kind === "status" || path.kind === "metadata") {
      throw toMalformed("POST", pathOf(request));
    }
    const asked = { verb: path.kind, target: path };
    return toAnswer({ status: 200, body: await answerVerb(request, asked, options, inference) });
  };
  return [
    {
      ...SHARED,
      method: "GET",
      path: "/v1/models",
      schema: describe("Models, for clients of KServe and OpenAI"),
      handle: read,
    },
    { ...SHARED, method: "GET", path: "/v1/models/*", schema: HIDDEN, handle: read },
    { ...SHARED, method: "POST", path: "/v1/models", schema: HIDDEN, handle: ask },
    { ...SHARED, method: "POST", path: "/v1/models/*", schema: HIDDEN, maxBodyBytes, handle: ask },
    { ...createMetricsRoute(options), path: "/monitoring/prometheus/metrics", schema: HIDDEN },
  ];
}

const HIDDEN = { hide: true };

function describe(summary: string) {
  return { summary, tags: ["tensorflow serving"], security: [{}, { apiKey: [] }] };
}

function pathOf({ url }: FastifyRequest): string {
  const [path = ""] = url.split("?");
  return path;
}

function toAnswer({ status, body }: { readonly status: number; readonly body: string }): Answer {
  return { status, contentType: "application/json", body };
}
