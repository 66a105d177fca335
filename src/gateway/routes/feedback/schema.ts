import { errorResponseSchema } from "../../../protocols/native/schema.ts";

/** What the OpenAPI document says about feedback and gate sets. */

const ERRORS = {
  400: { description: "The request is wrong; `details` names the fields.", ...errorResponseSchema },
  401: { description: "An API key is missing, unknown or expired.", ...errorResponseSchema },
  403: { description: "This key may not; see feedback.keys.", ...errorResponseSchema },
  404: { description: "There is no such answer, set or model.", ...errorResponseSchema },
  429: { description: "Allowance spent; see Retry-After.", ...errorResponseSchema },
  503: { description: "The record database does not answer.", ...errorResponseSchema },
};

const labelled = {
  type: "object",
  required: ["text", "label"],
  properties: {
    text: { type: "string" },
    text_pair: { type: "string", description: "The second text of a pair." },
    label: { type: "string", description: "What is right." },
  },
};

const gateSet = {
  type: "object",
  properties: {
    name: { type: "string" },
    size: { type: "integer", description: "Number of texts." },
    updated_at: { type: "string", format: "date-time" },
  },
};

export const FEEDBACK_BODIES = {
  feedback: {
    type: "object",
    required: ["request_id", "label"],
    properties: {
      request_id: { type: "string", description: "As the answer had it." },
      item: { type: "integer", minimum: 0, description: "Position of the text; 0 when left out." },
      label: { type: "string", description: "What is right." },
      text: { type: "string", description: "To be kept, with personal data masked." },
      text_pair: { type: "string" },
    },
  },
  gateSet: {
    type: "object",
    required: ["items"],
    properties: { items: { type: "array", items: labelled } },
  },
  collect: {
    type: "object",
    required: ["model"],
    properties: {
      model: { type: "string" },
      since: { type: "string", format: "date-time" },
      limit: { type: "integer", minimum: 1, maximum: 10_000, default: 1000 },
      only_wrong: { type: "boolean", default: false },
    },
  },
};

const answer = (description: string, schema: object) => ({
  description,
  content: { "application/json": { schema } },
});

export const FEEDBACK_ANSWERS = {
  feedback: answer("What was kept.", {
    type: "object",
    properties: {
      request_id: { type: "string" },
      item: { type: "integer" },
      model: { type: "string" },
      model_version: { type: "string" },
      predicted: { type: ["string", "null"] },
      label: { type: "string" },
      right: { type: "boolean" },
      has_text: { type: "boolean" },
      given_at: { type: "string", format: "date-time" },
    },
  }),
  accuracy: answer("By version.", {
    type: "object",
    properties: {
      model: { type: "string" },
      versions: {
        type: "array",
        items: {
          type: "object",
          properties: {
            model_version: { type: "string" },
            right: { type: "integer" },
            wrong: { type: "integer" },
            accuracy: { type: "number" },
            lower: { type: "number" },
            upper: { type: "number" },
          },
        },
      },
    },
  }),
  gateSet: answer("The set.", gateSet),
  gateSets: answer("All sets.", {
    type: "object",
    properties: { gate_sets: { type: "array", items: gateSet } },
  }),
  gateTexts: answer("Its texts; as NDJSON where that is accepted.", FEEDBACK_BODIES.gateSet),
  removed: { description: "It is gone." },
};

interface Description {
  readonly summary: string;
  readonly description: string;
  readonly body?: object;
  readonly status?: number;
  readonly answer: object;
}

export function describe({ summary, description, body, status = 200, answer }: Description) {
  return {
    ...{ summary, description, tags: ["feedback"], security: [{}, { apiKey: [] }] },
    ...(body !== undefined && { body }),
    response: { [status]: answer, ...ERRORS },
  };
}
