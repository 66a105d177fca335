import { decodeClassify } from "../../protocols/native/decode-classify.ts";
import { encodeBatch, encodeSingle } from "../../protocols/native/encode-classify.ts";
import { classifyRequestSchema, classifyResponseSchema } from "../../protocols/native/schema.ts";
import { jsonAnswer } from "../answer.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import type { Route } from "../route.ts";
import type { InferenceCaller } from "./inference.ts";
import { describeInferenceHeaders, INFERENCE_ERRORS } from "./inference.ts";

/** `POST /classify`: bytes → decode → core → encode → bytes. */
export function createClassifyRoute({ limits }: GatewayOptions, inference: InferenceCaller): Route {
  return {
    method: "POST",
    path: "/classify",
    access: "caller",
    schema: {
      summary: "Classify text",
      description: "One text, or a list of texts of which each gets its own answer.",
      tags: ["inference"],
      security: [{}, { apiKey: [] }],
      headers: describeInferenceHeaders(limits),
      body: classifyRequestSchema(limits),
      response: {
        200: { description: "Labels, best first.", ...classifyResponseSchema },
        ...INFERENCE_ERRORS,
      },
    },
    handle: async (request) => {
      const decoded = decodeClassify(request.body, limits);
      const call = inference.callOf(request);
      const result = await inference.run(call, decoded);
      const encode = decoded.isBatch ? encodeBatch : encodeSingle;
      return jsonAnswer(200, encode(result, inference.contextOf(call)));
    },
  };
}
