import type { FastifyRequest } from "fastify";
import { decodeInfer, wantsBinary } from "../../../protocols/open-inference/decode-infer.ts";
import { encodeInfer } from "../../../protocols/open-inference/encode-infer.ts";
import type { EncodedBody } from "../../../protocols/open-inference/join-body.ts";
import { HEADER_LENGTH_HEADER } from "../../../protocols/open-inference/split-body.ts";
import type { Answer } from "../../answer.ts";
import type { GatewayOptions } from "../../gateway-options.ts";
import type { Route } from "../../route.ts";
import type { InferenceCaller } from "../inference.ts";
import { askOpenInference } from "./ask-model.ts";
import { bytesOf, describeRoute, OPEN_INFERENCE } from "./dialect.ts";
import { readTarget, toTargetPaths } from "./read-target.ts";

/** `POST /v2/models/<model>/infer`: a model of any kind, asked with tensors. */
export function createInferRoutes(
  options: GatewayOptions,
  inference: InferenceCaller,
): readonly Route[] {
  const { maxJsonDepth, maxTensorBodyBytes } = options.server;
  return toTargetPaths("/infer").map((path) => ({
    ...OPEN_INFERENCE,
    method: "POST",
    path,
    access: "caller",
    maxBodyBytes: maxTensorBodyBytes,
    schema: describeRoute("Ask a model with tensors, in JSON or as binary data"),
    handle: async (request) => {
      const call = inference.callOf(request);
      const { model, version } = readTarget(request);
      const askable = inference.findAskable(model, version, "open-inference");
      const limits = { maxJsonDepth };
      const decoded = decodeInfer(
        bytesOf(request),
        headerLengthOf(request),
        askable.signature,
        limits,
      );
      const answer = await askOpenInference(inference, call, askable, decoded);
      const encoded = encodeInfer(
        {
          model: answer.model,
          version: answer.version,
          id: decoded.id,
          ...(answer.truncated ? { parameters: { truncated: true } } : {}),
          outputs: answer.outputs,
        },
        (name) => wantsBinary(decoded, name),
      );
      return toAnswer(encoded);
    },
  }));
}

function headerLengthOf({ headers }: FastifyRequest): string | undefined {
  const value = headers[HEADER_LENGTH_HEADER];
  return Array.isArray(value) ? value.join() : value;
}

function toAnswer({ chunks, headerLength }: EncodedBody): Answer {
  if (headerLength === undefined) {
    return { status: 200, contentType: "application/json", body: chunks };
  }
  return {
    status: 200,
    contentType: "application/octet-stream",
    body: chunks,
    headers: [HEADER_LENGTH_HEADER, String(headerLength)],
  };
}
