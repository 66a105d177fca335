import type { FastifyRequest } from "fastify";
import { decodePredictions } from "../../protocols/native/decode-predictions.ts";
import {
  decodeTensorRequest,
  decodeTensors,
  isTensorBody,
} from "../../protocols/native/decode-tensors.ts";
import { encodePredictions } from "../../protocols/native/encode-predictions.ts";
import type { StreamFraming } from "../../protocols/native/encode-stream.ts";
import { chooseFraming, encodeStream } from "../../protocols/native/encode-stream.ts";
import { encodeTensors } from "../../protocols/native/encode-tensors.ts";
import {
  predictionsRequestSchema,
  predictionsResponseSchema,
} from "../../protocols/native/schema.ts";
import type { Answer, StreamedAnswer } from "../answer.ts";
import { jsonAnswer } from "../answer.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import type { Route } from "../route.ts";
import type { InferenceCaller } from "./inference.ts";
import { describeInferenceHeaders, INFERENCE_ERRORS } from "./inference.ts";

/** `POST /v1/predictions`: what a model of any task makes of texts, pairs of texts, or tensors. */
export function createPredictionsRoute(
  { limits }: GatewayOptions,
  inference: InferenceCaller,
): Route {
  const streamTexts = async (
    request: FastifyRequest,
    framing: StreamFraming,
  ): Promise<StreamedAnswer> => {
    const maxTextsPerRequest = limits.maxStreamedTexts;
    const decoded = decodePredictions(request.body, { ...limits, maxTextsPerRequest });
    const call = inference.callOf(request);
    // What is wrong with the request as a whole is known before the first part leaves, and still has a status.
    const items = await startEarly(inference.stream(call, decoded));
    const parts = encodeStream(items, framing, inference.contextOf(call));
    return { status: 200, contentType: framing.contentType, parts };
  };
  return {
    method: "POST",
    path: "/v1/predictions",
    access: "caller",
    schema: {
      summary: "Ask a model of any task",
      description:
        "Labels from classifiers, vectors from embedding models, scores of pairs; tensors from models of task tensor. With `Accept: application/x-ndjson` or `text/event-stream` every text's output is sent as soon as it is there, with its `index`, and a last part with `done`.",
      tags: ["inference"],
      security: [{}, { apiKey: [] }],
      headers: describeInferenceHeaders(limits),
      body: predictionsRequestSchema(limits),
      response: {
        200: {
          description: "One output per text, or every output of a tensor model by name.",
          ...predictionsResponseSchema,
        },
        ...INFERENCE_ERRORS,
      },
    },
    handle: async (request) => {
      if (isTensorBody(request.body)) return await answerTensors(request, inference);
      const framing = chooseFraming(request.headers.accept);
      if (framing !== undefined) return await streamTexts(request, framing);
      const decoded = decodePredictions(request.body, limits);
      const call = inference.callOf(request);
      const result = await inference.run(call, decoded);
      return jsonAnswer(200, encodePredictions(result, inference.contextOf(call)));
    },
  };
}

/** The same items, of which the first is there already. @throws what stood in its place */
async function startEarly<Item>(items: AsyncGenerator<Item>): Promise<AsyncIterable<Item>> {
  const first = await items.next();
  return (async function* () {
    if (first.done === true) return;
    yield first.value;
    yield* items;
  })();
}

/** The model comes first: what is not said about a tensor follows from its signature. */
async function answerTensors(request: FastifyRequest, inference: InferenceCaller): Promise<Answer> {
  const { model, version, lane, inputs, outputs } = decodeTensorRequest(request.body);
  const serving = inference.findTensors(model, version);
  const tensors = decodeTensors(inputs, serving.backend.signature);
  const call = inference.callOf(request);
  const result = await inference.runTensors(
    call,
    { tensors: serving, isNamed: version !== undefined },
    { inputs: tensors, outputs, lane },
  );
  return jsonAnswer(200, encodeTensors(result, inference.contextOf(call)));
}
