import { errorResponseSchema } from "../../../protocols/native/schema.ts";

/** What the OpenAPI document says about faults. */

const ERRORS = {
  401: { description: "An API key is missing, unknown or expired.", ...errorResponseSchema },
  404: {
    description: "There is no such fault, or the setting faults.enabled is off.",
    ...errorResponseSchema,
  },
  429: { description: "Allowance spent; see Retry-After.", ...errorResponseSchema },
};
const REFUSED = { 403: { description: "This key may only look.", ...errorResponseSchema } };

const percentage = {
  type: "object",
  required: ["value"],
  properties: { value: { type: "number", minimum: 0, maximum: 100 } },
};

const rule = {
  match: {
    type: "object",
    description: "All of it must hold; `everything` stands for every request.",
    properties: {
      everything: { type: "boolean" },
      model: { type: "string" },
      version: { type: "string" },
      key: { type: "string", description: "Id of an API key." },
      headers: {
        type: "object",
        additionalProperties: {
          type: "object",
          properties: {
            exact: { type: "string" },
            prefix: { type: "string" },
            suffix: { type: "string" },
          },
        },
      },
    },
  },
  delay: {
    type: "object",
    required: ["percentage", "fixedDelay"],
    properties: {
      percentage,
      fixedDelay: { type: "string", description: "E.g. `5s`; at most 10m." },
    },
  },
  abort: {
    type: "object",
    required: ["percentage"],
    properties: {
      percentage,
      httpStatus: { type: "integer", minimum: 400, maximum: 599 },
      grpcStatus: { type: "string", description: "E.g. `UNAVAILABLE`; instead of httpStatus." },
    },
  },
};

const fault = {
  type: "object",
  required: ["name", "match", "expires_at"],
  properties: {
    name: { type: "string" },
    ...rule,
    expires_at: { type: "string", format: "date-time" },
  },
};

const base = (summary: string, description: string) => ({
  summary,
  description,
  tags: ["faults"],
  security: [{}, { apiKey: [] }],
});

const byName = {
  params: { type: "object", required: ["name"], properties: { name: { type: "string" } } },
};

export function describeList() {
  return {
    ...base("List faults", "In the order in which they are tried; the first that matches decides."),
    response: {
      200: {
        description: "Faults.",
        type: "object",
        required: ["faults"],
        properties: { faults: { type: "array", items: fault } },
      },
      ...ERRORS,
    },
  };
}

export function describeOne() {
  return {
    ...base("Show a fault", "A rule that delays or aborts requests on purpose."),
    ...byName,
    response: { 200: { description: "The fault.", ...fault }, ...ERRORS },
  };
}

export function describeSet() {
  return {
    ...base(
      "Set a fault",
      "Delays or aborts a share of the requests on purpose, until `ttl` has passed. `delay` and `abort` have the fields of Istio's HTTPFaultInjection.",
    ),
    ...byName,
    body: {
      type: "object",
      required: ["match", "ttl"],
      properties: { ...rule, ttl: { type: "string", description: "E.g. `10m`; at most 24h." } },
    },
    response: {
      200: { description: "The fault holds.", ...fault },
      400: { description: "The rule is wrong; `details` says why.", ...errorResponseSchema },
      409: { description: "There are too many.", ...errorResponseSchema },
      ...REFUSED,
      ...ERRORS,
    },
  };
}

export function describeRemove() {
  return {
    ...base("Remove a fault", "It does nothing from now on."),
    ...byName,
    response: { 204: { description: "Removed.", type: "null" }, ...REFUSED, ...ERRORS },
  };
}
