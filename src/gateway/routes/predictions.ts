import { decodePredictions } from "../../protocols/native/decode-predictions.ts";
import { encodePredictions } from "../../protocols/native/encode-predictions.ts";
import {
  predictionsRequestSchema,
  predictionsResponseSchema,
} from "../../protocols/native/schema.ts";
import { jsonAnswer } from "../answer.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import type { Route } from "../route.ts";
import type { InferenceCaller } from "./inference.ts";
import { describeInferenceHeaders, INFERENCE_ERRORS } from "./inference.ts";

/** `POST /v1/predictions`: what a model of any task makes of texts and pairs of texts. */
export function createPredictionsRoute(
  { limits }: GatewayOptions,
  inference: InferenceCaller,
): Route {
  return {
    method: "POST",
    path: "/v1/predictions",
    access: "caller",
    schema: {
      summary: "Ask a model of any task",
      description: "Labels from classifiers, vectors from embedding models, scores of pairs.",
      tags: ["inference"],
      security: [{}, { apiKey: [] }],
      headers: describeInferenceHeaders(limits),
      body: predictionsRequestSchema(limits),
      response: {
        200: { description: "One output per input.", ...predictionsResponseSchema },
        ...INFERENCE_ERRORS,
      },
    },
    handle: async (request) => {
      const decoded = decodePredictions(request.body, limits);
      const result = await inference.run(request, decoded);
      return jsonAnswer(200, encodePredictions(result, inference.contextOf(request)));
    },
  };
}
