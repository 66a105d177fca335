import { decodeClassify } from "../../protocols/native/decode-classify.ts";
import { encodeBatch, encodeSingle } from "../../protocols/native/encode-classify.ts";
import { classifyRequestSchema, classifyResponseSchema } from "../../protocols/native/schema.ts";
import { jsonAnswer } from "../answer.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import type { Route } from "../route.ts";
import { askExamples } from "./ask-examples.ts";
import type { InferenceCaller } from "./inference.ts";
import { describeInferenceHeaders, INFERENCE_ERRORS } from "./inference.ts";

/** `POST /classify`: bytes → decode → core → encode → bytes. */
export function createClassifyRoute(options: GatewayOptions, inference: InferenceCaller): Route {
  const { limits } = options;
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
      const encode = decoded.isBatch ? encodeBatch : encodeSingle;
      const context = inference.contextOf(call);
      const answered = await inference.run(call, decoded);
      if (decoded.examples === undefined) return jsonAnswer(200, encode(answered, context));
      const wait = inference.waitOf(call);
      const asked = { ...decoded, examples: decoded.examples };
      const { result, neighbors } = await askExamples(asked, answered, wait, options.collections);
      return jsonAnswer(200, encode(result, context, neighbors));
    },
  };
}
