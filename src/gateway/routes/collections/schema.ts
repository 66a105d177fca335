import { errorResponseSchema } from "../../../protocols/native/schema.ts";

/** What the OpenAPI document says about collections. */

const nullable = (type: string, description: string) => ({ type: [type, "null"], description });

const collection = {
  type: "object",
  required: ["name", "items", "dimensions", "metric"],
  properties: {
    name: { type: "string" },
    items: { type: "integer" },
    dimensions: { type: "integer", description: "Length of its vectors." },
    metric: { enum: ["cosine", "dot", "l2"] },
    model: nullable("string", "What makes vectors of its texts; null when callers bring them."),
    model_version: nullable("string", "Its version."),
  },
};

const metadata = {
  type: "object",
  additionalProperties: { type: ["string", "number", "boolean"] },
};

const match = {
  type: "object",
  properties: {
    id: { type: "string" },
    score: {
      type: "number",
      description:
        "Cosine or dot product, larger is nearer; Euclidean distance, smaller is nearer.",
    },
    label: nullable("string", "What it is an example of."),
    text: nullable("string", "What its vector stands for."),
    metadata,
  },
};

const ERRORS = {
  400: { description: "The request is wrong; `details` names the fields.", ...errorResponseSchema },
  401: { description: "An API key is missing, unknown or expired.", ...errorResponseSchema },
  404: { description: "There is no such collection.", ...errorResponseSchema },
  429: { description: "Allowance spent; see Retry-After.", ...errorResponseSchema },
  503: { description: "The store of vectors does not answer.", ...errorResponseSchema },
};

const answer = (description: string, properties: object) => ({
  description,
  content: { "application/json": { schema: { type: "object", properties } } },
});

interface Description {
  readonly summary: string;
  readonly description: string;
  readonly body?: object;
  readonly status?: number;
  readonly answer: object;
}

/** The schema of one address. */
export function describe({ summary, description, body, status = 200, answer: ok }: Description) {
  return {
    summary,
    description,
    tags: ["collections"],
    security: [{}, { apiKey: [] }],
    ...(body === undefined ? {} : { body: { type: "object", properties: body } }),
    response: { [status]: ok, ...ERRORS },
  };
}

export const WIRE = {
  collection: {
    description: "The collection.",
    content: { "application/json": { schema: collection } },
  },
  collections: answer("All collections.", { collections: { type: "array", items: collection } }),
  ids: answer("The ids, in the order of the items.", {
    stored: { type: "integer" },
    ids: { type: "array", items: { type: "string" } },
  }),
  removed: answer("How many of them there were.", { removed: { type: "integer" } }),
  matches: answer("Nearest first.", { matches: { type: "array", items: match } }),
  items: answer("By id.", {
    items: { type: "array", items: match },
    next: nullable("string", "Send it as `after` for the next page; null at the end."),
  }),
  report: answer("Each labelled item, classified by the others.", {
    examples: { type: "integer", description: "Labelled items that were measured." },
    complete: { type: "boolean", description: "No further labelled items were left out." },
    accuracy: { type: "number", minimum: 0, maximum: 1 },
    labels: { type: "array", items: { type: "object" } },
    blends: {
      type: "array",
      items: { type: "object" },
      description: "The model alone (weight 0), the examples alone (1), and between.",
    },
    best_examples_weight: nullable("number", "The weight that was right most often."),
  }),
};

export const BODIES = {
  collection: {
    name: { type: "string", pattern: "^[a-z][a-z0-9_-]{0,62}$" },
    metric: { enum: ["cosine", "dot", "l2"], default: "cosine" },
    model: nullable("string", "A model of embeddings; by default the one that there is."),
    model_version: nullable("string", "By default the one that answers now."),
    dimensions: nullable(
      "integer",
      "Length of vectors that callers bring; then there is no model.",
    ),
  },
  items: {
    items: {
      type: "array",
      maxItems: 1000,
      items: {
        type: "object",
        properties: {
          id: nullable("string", "Left out, it is made of the text."),
          text: nullable("string", "Is made a vector by the collection's model."),
          vector: { type: ["array", "null"], items: { type: "number" } },
          label: nullable("string", "What it is an example of."),
          metadata,
        },
      },
    },
  },
  search: {
    text: { type: ["string", "null"] },
    vector: { type: ["array", "null"], items: { type: "number" } },
    k: { type: "integer", minimum: 1, maximum: 1000, default: 10 },
    filter: { type: "object", properties: { label: { type: "string" }, metadata } },
  },
  ids: { ids: { type: "array", items: { type: "string" } } },
  measure: {
    k: { type: "integer", minimum: 1, maximum: 100, default: 5 },
    max_examples: { type: "integer", minimum: 1, maximum: 10_000, default: 1000 },
    model: nullable("string", "A classifier to measure beside the examples."),
    model_version: nullable("string", "Its version."),
  },
};
