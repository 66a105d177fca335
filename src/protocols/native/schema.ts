import { ACTIVATION_FUNCTIONS } from "../../core/text/labels.ts";
import type { ClassifyLimits } from "./decode-classify.ts";

/** JSON Schemas of the native protocol, for the OpenAPI document. A test holds them against the decoder. */

const textOf = (limits: ClassifyLimits) => ({
  type: "string",
  minLength: 1,
  maxLength: limits.maxTextCharacters,
});

/** Body of `POST /classify`. */
export function classifyRequestSchema(limits: ClassifyLimits) {
  return {
    type: "object",
    additionalProperties: false,
    oneOf: [{ required: ["text"] }, { required: ["texts"] }],
    properties: {
      text: { ...textOf(limits), description: "The text to classify." },
      texts: {
        type: "array",
        items: textOf(limits),
        minItems: 1,
        maxItems: limits.maxTextsPerRequest,
        description: "Several texts; each gets its own answer or its own error, in order.",
      },
      model: {
        type: ["string", "null"],
        minLength: 1,
        maxLength: 128,
        description: "Model to ask. Default: the server's default model.",
      },
      model_version: {
        type: ["string", "null"],
        minLength: 1,
        maxLength: 128,
        description: "Version to ask, e.g. 1.0.0. Default: the model's default version.",
      },
      top_k: {
        type: ["integer", "null"],
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description:
          "How many labels to return, best first; 0 for all. Default: 1, or all for multi-label models.",
      },
      function_to_apply: {
        enum: [...ACTIVATION_FUNCTIONS, null],
        description: "How scores are computed. Default: what the model's problem type implies.",
      },
    },
    examples: [{ text: "The battery lasts all day and the screen is gorgeous." }],
  };
}

const predictions = {
  type: "array",
  description: "Labels, best first.",
  items: {
    type: "object",
    required: ["label", "confidence", "processing_time_ms"],
    properties: {
      label: { type: "string" },
      confidence: {
        type: "number",
        description: "0 to 1; any number with function_to_apply none.",
      },
      processing_time_ms: {
        type: "number",
        description: "From the request's start to this answer.",
      },
    },
  },
};

const errorDetail = {
  type: "object",
  required: ["code", "message"],
  properties: {
    code: { type: "string" },
    message: { type: "string" },
    details: {
      type: "array",
      items: {
        type: "object",
        required: ["field", "problem"],
        properties: { field: { type: "string" }, problem: { type: "string" } },
      },
    },
  },
};

const context = {
  model: { type: "string" },
  model_version: { type: "string" },
  request_id: {
    type: "string",
    description: "Unique per request; also in every log line about it.",
  },
  timestamp: { type: "string", format: "date-time" },
};

/** Answer of `POST /classify`: `predictions` for `text`, `results` for `texts`. */
export const classifyResponseSchema = {
  type: "object",
  required: Object.keys(context),
  properties: {
    predictions,
    truncated: {
      type: "boolean",
      description: "Present and true when the text's end was not read.",
    },
    results: {
      type: "array",
      items: { type: "object", properties: { predictions, error: errorDetail } },
    },
    ...context,
  },
};

/** Every error answer. */
export const errorResponseSchema = {
  type: "object",
  required: ["error", "request_id"],
  properties: { error: errorDetail, request_id: context.request_id },
};
