import { LANES } from "../../core/inference/lanes.ts";
import { TENSOR_DATATYPES } from "../../core/ports/tensor.ts";
import { ACTIVATION_FUNCTIONS } from "../../core/text/labels.ts";
import { MAX_OUTPUTS } from "./decode-tensors.ts";
import type { InputLimits } from "./field-reader.ts";

/** JSON Schemas of the native protocol, for the OpenAPI document. A test holds them against the decoders. */

const textOf = (limits: InputLimits) => ({
  type: "string",
  minLength: 1,
  maxLength: limits.maxTextCharacters,
});

const optionFields = {
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
    description:
      "Version to ask, e.g. 1.0.0. Default: the model's default version, or for a text in another language the version that was made for it.",
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
  abstain_below: {
    type: ["number", "null"],
    minimum: 0,
    maximum: 1,
    description:
      "Best score below which no label is given and `abstained` is true. Default: as the model package says.",
  },
  lane: {
    enum: [...LANES, null],
    description:
      "`bulk` for work that nobody waits for: it is computed when nothing else is. Default: online.",
  },
};

/** Body of `POST /classify`. */
export function classifyRequestSchema(limits: InputLimits) {
  return {
    type: "object",
    additionalProperties: false,
    oneOf: [{ required: ["text"] }, { required: ["texts"] }],
    dependentRequired: { pair: ["text"] },
    properties: {
      text: { ...textOf(limits), description: "The text to classify." },
      pair: {
        ...textOf(limits),
        type: ["string", "null"],
        description: "Second text, for models that read pairs. Only beside `text`.",
      },
      texts: {
        type: "array",
        items: { type: "string" },
        minItems: 1,
        maxItems: limits.maxTextsPerRequest,
        description: `Several texts of 1 to ${limits.maxTextCharacters} characters; each gets its own answer or its own error, in order.`,
      },
      ...optionFields,
      neighbors: {
        type: ["integer", "null"],
        minimum: 1,
        maximum: 100,
        description: "How many of the nearest labelled examples to show, and to let have a say.",
      },
      collection: {
        type: ["string", "null"],
        minLength: 1,
        maxLength: 128,
        description: "Whose examples. Default: as the server is configured.",
      },
      examples_weight: {
        type: ["number", "null"],
        minimum: 0,
        maximum: 1,
        description:
          "How much the examples count against the model: 0 (default) not at all, 1 alone. Not with function_to_apply none.",
      },
    },
    examples: [{ text: "The battery lasts all day and the screen is gorgeous." }],
  };
}

/** Body of `POST /v1/predictions`: a list of texts, or an object of tensors. */
export function predictionsRequestSchema(limits: InputLimits) {
  return {
    oneOf: [textsRequestSchema(limits), tensorsRequestSchema],
    examples: [{ inputs: ["The battery lasts all day and the screen is gorgeous."] }],
  };
}

function textsRequestSchema(limits: InputLimits) {
  const pair = {
    type: "object",
    additionalProperties: false,
    required: ["text"],
    properties: { text: { type: "string" }, pair: { type: ["string", "null"] } },
  };
  return {
    type: "object",
    additionalProperties: false,
    required: ["inputs"],
    properties: {
      inputs: {
        type: "array",
        items: { anyOf: [{ type: "string" }, pair] },
        minItems: 1,
        maxItems: limits.maxTextsPerRequest,
        description: `Texts of 1 to ${limits.maxTextCharacters} characters, or pairs of them; each gets its own answer or its own error, in order.`,
      },
      ...optionFields,
    },
  };
}

const tensorsRequestSchema = {
  type: "object",
  additionalProperties: false,
  required: ["inputs"],
  properties: {
    inputs: {
      type: "object",
      description:
        "For models of task tensor: every input by name, as nested lists or as an object that says more.",
      additionalProperties: {
        anyOf: [
          {
            type: "object",
            additionalProperties: false,
            required: ["data"],
            properties: {
              shape: { type: "array", items: { type: "integer", minimum: 0 } },
              datatype: { enum: [...TENSOR_DATATYPES] },
              data: { description: "Row-major: flat, or nested as the shape says." },
            },
          },
          { type: ["array", "number", "string", "boolean", "null"] },
        ],
      },
    },
    outputs: {
      type: ["array", "null"],
      items: { type: "string" },
      minItems: 1,
      maxItems: MAX_OUTPUTS,
      description: "Names of the outputs to answer with. Default: all.",
    },
    model: optionFields.model,
    model_version: optionFields.model_version,
    lane: optionFields.lane,
  },
};

const predictions = {
  type: "array",
  description:
    "Labels, best first; empty when the model abstains or no label reaches its threshold.",
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

/** How a text was read; what is usual is left out. */
const reading = {
  windows: {
    type: "integer",
    minimum: 2,
    description: "Present when the text was longer than the model reads: pieces it was read in.",
  },
  truncated: {
    type: "boolean",
    description: "Present and true when a part of the text was not read.",
  },
  abstained: {
    type: "boolean",
    description: "Present and true when the best label was too uncertain to be given.",
  },
};

const neighbors = {
  type: "array",
  description:
    "Present when examples were asked for: the nearest ones with a label, nearest first.",
  items: {
    type: "object",
    required: ["id", "score", "label"],
    properties: {
      id: { type: "string" },
      score: { type: "number" },
      label: { type: "string" },
      text: { type: ["string", "null"] },
      metadata: { type: "object" },
    },
  },
};

/** Who answered, where a graph did. */
const answeredBy = {
  type: "array",
  description:
    "Present when a graph answered: the model whose answer this is, or all of an ensemble.",
  items: {
    type: "object",
    required: ["model", "version"],
    properties: { model: { type: "string" }, version: { type: "string" } },
  },
};

/** Answer of `POST /classify`: `predictions` for `text`, `results` for `texts`. */
export const classifyResponseSchema = {
  type: "object",
  required: Object.keys(context),
  properties: {
    predictions,
    neighbors,
    ...reading,
    answered_by: answeredBy,
    results: {
      type: "array",
      items: {
        type: "object",
        properties: {
          predictions,
          neighbors,
          ...reading,
          answered_by: answeredBy,
          model_version: { type: "string", description: "When another version answered." },
          error: errorDetail,
        },
      },
    },
    ...context,
  },
};

const textOutputs = {
  type: "array",
  description: "One per text, in order: labels, a vector, or an error.",
  items: {
    type: "object",
    properties: {
      labels: {
        type: "array",
        description: "Best first; the one label of a model that scores pairs is `score`.",
        items: {
          type: "object",
          required: ["label", "score"],
          properties: { label: { type: "string" }, score: { type: "number" } },
        },
      },
      vector: { type: "array", items: { type: "number" } },
      model_version: { type: "string" },
      source: { enum: ["model", "cache", "coalesced"] },
      ...reading,
      answered_by: answeredBy,
      processing_time_ms: { type: "number" },
      error: errorDetail,
    },
  },
};

const tensorOutputs = {
  type: "object",
  description: "Every output by name.",
  additionalProperties: {
    type: "object",
    required: ["shape", "datatype", "data"],
    properties: {
      shape: { type: "array", items: { type: "integer", minimum: 0 } },
      datatype: { enum: [...TENSOR_DATATYPES] },
      data: { type: "array", description: "Row-major and flat. NaN and infinities are null." },
    },
  },
};

/** Answer of `POST /v1/predictions`. */
export const predictionsResponseSchema = {
  type: "object",
  required: ["outputs", ...Object.keys(context)],
  properties: {
    outputs: { oneOf: [textOutputs, tensorOutputs] },
    processing_time_ms: { type: "number", description: "Beside tensors." },
    ...context,
  },
};

/** Every error answer. */
export const errorResponseSchema = {
  type: "object",
  required: ["error", "request_id"],
  properties: { error: errorDetail, request_id: context.request_id },
};
