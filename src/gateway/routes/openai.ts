import { resolveNamedTask } from "../../core/graphs/resolve-named.ts";
import { countTokens } from "../../core/inference/count-tokens.ts";
import { decodeEmbeddings } from "../../protocols/openai/decode-embeddings.ts";
import { decodeModeration } from "../../protocols/openai/decode-moderation.ts";
import { encodeEmbeddings } from "../../protocols/openai/encode-embeddings.ts";
import { encodeError } from "../../protocols/openai/encode-error.ts";
import { encodeModeration } from "../../protocols/openai/encode-moderation.ts";
import { createLabelFlags } from "../../protocols/openai/label-flags.ts";
import { jsonAnswer } from "../answer.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import type { Route } from "../route.ts";
import type { InferenceCaller } from "./inference.ts";

/**
 * What clients of OpenAI call: moderation by any classifier, and vectors. What they find at `/v1/models` is answered
 * together with other protocols that have something to say there.
 */
export function createOpenAiRoutes(
  options: GatewayOptions,
  inference: InferenceCaller,
): readonly Route[] {
  const embeddings = createEmbeddingsRoute(options, inference);
  return [
    createModerationsRoute(options, inference),
    embeddings,
    // Text Embeddings Inference has it there as well.
    { ...embeddings, path: "/embeddings", schema: { hide: true } },
  ];
}

const SHARED = { method: "POST", access: "caller", encodeError } as const;

function describe(summary: string): object {
  return { summary, tags: ["openai"], security: [{}, { apiKey: [] }] };
}

function createModerationsRoute(options: GatewayOptions, inference: InferenceCaller): Route {
  const { limits, pipeline, defaultModel, protocols } = options;
  const tasks = ["classification"] as const;
  return {
    ...SHARED,
    path: "/v1/moderations",
    schema: describe("Whether texts are flagged, and by which labels"),
    handle: async (request) => {
      const decoded = decodeModeration(request.body, limits);
      const wanted = { tasks, model: decoded.model, defaultModel };
      const { model, serving } = await resolveNamedTask(pipeline, wanted);
      const { manifest } = serving;
      const call = inference.callOf(request);
      const result = await inference.run(call, { ...decoded, model });
      const { harmlessLabels, flagThresholds } = protocols.openai;
      const flags = createLabelFlags({
        harmless: harmlessLabels,
        thresholds: { ...manifest.thresholds, ...flagThresholds },
      });
      return jsonAnswer(200, encodeModeration(result, { requestId: call.id, flags }));
    },
  };
}

function createEmbeddingsRoute(options: GatewayOptions, inference: InferenceCaller): Route {
  const { limits, pipeline, defaultModel } = options;
  const tasks = ["embedding"] as const;
  return {
    ...SHARED,
    path: "/v1/embeddings",
    schema: describe("Vectors of texts"),
    handle: async (request) => {
      const decoded = decodeEmbeddings(request.body, limits);
      const wanted = { tasks, model: decoded.model, defaultModel };
      const { model, serving } = await resolveNamedTask(pipeline, wanted);
      const call = inference.callOf(request);
      const result = await inference.run(call, { ...decoded, model });
      const tokens = countTokens(serving, decoded.inputs);
      return jsonAnswer(200, encodeEmbeddings(result, decoded, tokens));
    },
  };
}
