import type { FastifyRequest } from "fastify";
import type { Tensor } from "../../../core/ports/tensor.ts";
import type { AskableModel } from "../../../core/tensors/ask-model.ts";
import { toClasses } from "../../../protocols/open-inference/classification.ts";
import type { RequestedOutput } from "../../../protocols/open-inference/decode-infer.ts";
import { decodeInfer, wantsBinary } from "../../../protocols/open-inference/decode-infer.ts";
import { encodeInfer } from "../../../protocols/open-inference/encode-infer.ts";
import type { EncodedBody } from "../../../protocols/open-inference/join-body.ts";
import { HEADER_LENGTH_HEADER } from "../../../protocols/open-inference/split-body.ts";
import type { Answer } from "../../answer.ts";
import type { GatewayOptions } from "../../gateway-options.ts";
import type { Route } from "../../route.ts";
import type { InferenceCaller } from "../inference.ts";
import { bytesOf, describeRoute, OPEN_INFERENCE } from "./dialect.ts";
import { readTarget, toTargetPaths } from "./read-target.ts";

/** From this number on, a request is work that nobody waits for. 1 is the highest, and 0 is said by those who say none. */
const FIRST_BULK_PRIORITY = 2;

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
      const { inputs, outputs, parameters } = decoded;
      const answer = await inference.ask(call, askable, {
        inputs,
        outputs: outputs?.map(({ name }) => name),
        lane: parameters.priority >= FIRST_BULK_PRIORITY ? "bulk" : "online",
        timeoutMs: parameters.timeoutUs === undefined ? undefined : parameters.timeoutUs / 1000,
      });
      const encoded = encodeInfer(
        {
          model: answer.model,
          version: answer.version,
          id: decoded.id,
          ...(answer.truncated ? { parameters: { truncated: true } } : {}),
          outputs: answer.outputs.map((tensor) => toWanted(tensor, outputs, askable)),
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

/** The output as it was asked for: as it is, or its best classes. */
function toWanted(
  tensor: Tensor,
  requested: readonly RequestedOutput[] | undefined,
  { signature, extraOutputs, texts }: AskableModel,
): Tensor {
  const count = requested?.find(({ name }) => name === tensor.name)?.classification;
  if (count === undefined) return tensor;
  const { name, shape } = tensor;
  const spec = [...signature.outputs, ...extraOutputs].find((output) => output.name === name);
  // A list of fixed length is one row; one of any length has a row for each of its elements.
  const isBatched = shape.length > 1 || (shape.length === 1 && spec?.shape?.[0] === null);
  const labels = texts?.manifest.labels;
  const isPerLabel = shape.length === 2 && shape[1] === labels?.length;
  return toClasses(tensor, { count, isBatched, labels: isPerLabel ? labels : undefined });
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
