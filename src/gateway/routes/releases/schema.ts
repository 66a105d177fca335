import { errorResponseSchema } from "../../../protocols/native/schema.ts";

/** What the OpenAPI document says about releases. */

const ERRORS = {
  401: { description: "An API key is missing, unknown or expired.", ...errorResponseSchema },
  429: { description: "Allowance spent; see Retry-After.", ...errorResponseSchema },
  503: { description: "The store of releases does not answer.", ...errorResponseSchema },
};
const MISSING = { 404: { description: "There is no such release.", ...errorResponseSchema } };
const REFUSED = {
  403: { description: "This key may only look.", ...errorResponseSchema },
  409: {
    description: "Not in this phase, or another release is under way.",
    ...errorResponseSchema,
  },
};

const release = {
  type: "object",
  required: ["id", "model", "stable", "candidate", "phase", "step", "steps", "weight", "plan"],
  properties: {
    id: { type: "string" },
    model: { type: "string" },
    stable: { type: "string" },
    candidate: { type: "string" },
    phase: { type: "string" },
    step: { type: "integer" },
    steps: { type: "integer" },
    weight: { type: "number", description: "Percent of the requests that go to the candidate." },
    failures: { type: "integer" },
    consecutive_failures: { type: "integer" },
    inconclusive: { type: "integer" },
    reason: { type: ["string", "null"] },
    started_at: { type: "string", format: "date-time" },
    finished_at: { type: ["string", "null"], format: "date-time" },
    checks: { type: "array", items: { type: "object", additionalProperties: true } },
    plan: { type: "object", additionalProperties: true },
  },
  additionalProperties: true,
};

const base = (summary: string, description: string) => ({
  summary,
  description,
  tags: ["releases"],
  security: [{}, { apiKey: [] }],
});

const byId = {
  params: { type: "object", required: ["id"], properties: { id: { type: "string" } } },
};
const limited = (names: readonly string[]) => ({
  querystring: {
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, { type: "string" }])),
  },
});

export function describeStart() {
  return {
    ...base(
      "Start a release",
      "Lets a version of a model go live step by step, and back by itself when it is bad. `{model, candidate}` is enough; `strategy` is `{kind: canary | blue_green | ab | shadow, …}`, and every other field of the plan that the answer shows may be set. Stable is the version that answers now.",
    ),
    response: {
      201: { description: "The release has begun.", ...release },
      400: { description: "The plan cannot work; `details` says why.", ...errorResponseSchema },
      ...REFUSED,
      ...ERRORS,
    },
  };
}

export function describeList() {
  return {
    ...base(
      "List releases",
      "Newest first; `model`, `limit` (1 to 1000) and `after` (an id) select.",
    ),
    ...limited(["model", "limit", "after"]),
    response: {
      200: {
        description: "Releases.",
        type: "object",
        required: ["releases", "next"],
        properties: {
          releases: { type: "array", items: release },
          next: { type: ["string", "null"], description: "`after` of the next page." },
        },
      },
      400: { description: "The query is wrong.", ...errorResponseSchema },
      ...ERRORS,
    },
  };
}

export function describeFind() {
  return {
    ...base("Show a release", "Where it stands, and what its last check was decided on."),
    ...byId,
    response: { 200: { description: "The release.", ...release }, ...MISSING, ...ERRORS },
  };
}

export function describeHistory() {
  return {
    ...base("Decisions of a release", "Newest first, each with the numbers that it was made on."),
    ...byId,
    ...limited(["limit"]),
    response: {
      200: {
        description: "Decisions.",
        type: "object",
        required: ["events"],
        properties: {
          events: { type: "array", items: { type: "object", additionalProperties: true } },
        },
      },
      400: { description: "The query is wrong.", ...errorResponseSchema },
      ...MISSING,
      ...ERRORS,
    },
  };
}

export function describeCandidate() {
  return {
    ...base(
      "Begin again with another candidate",
      "`{candidate}` names the version. Everybody goes back to stable, and the same release begins again by the same plan, with nothing counted; what was decided before stays in its history.",
    ),
    ...byId,
    response: {
      200: { description: "The release.", ...release },
      400: {
        description: "That version cannot go live; `details` says why.",
        ...errorResponseSchema,
      },
      ...REFUSED,
      ...MISSING,
      ...ERRORS,
    },
  };
}

const SUMMARIES = {
  pause: "Pause a release",
  resume: "Go on with a paused release",
  promote: "Promote the candidate now",
  rollback: "Roll a release back now",
} as const;

export function describeCommand(kind: keyof typeof SUMMARIES) {
  return {
    ...base(
      SUMMARIES[kind],
      "Followed at once by whoever decides; the answer is the release then.",
    ),
    ...byId,
    response: {
      200: { description: "The release.", ...release },
      ...REFUSED,
      ...MISSING,
      ...ERRORS,
    },
  };
}
