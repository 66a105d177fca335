/** What of a model can be asked, for the OpenAPI document: the addresses share a route that no document could describe. */
const VERBS = {
  predict: "Ask a model in rows (instances) or columns (inputs)",
  classify: "Labels with scores for examples",
  regress: "A number for each example",
} as const;

/** Which version: the default one, one by number, or one by label. */
const TARGETS = [
  "/v1/models/{model}",
  "/v1/models/{model}/versions/{version}",
  "/v1/models/{model}/labels/{label}",
] as const;

const SHARED = { tags: ["tensorflow serving"], security: [{}, { apiKey: [] }] };
const JSON_BODY = { content: { "application/json": { schema: { type: "object" as const } } } };
const RESPONSES = {
  200: { description: "The answer.", ...JSON_BODY },
  400: { description: "The request is wrong; `error` says how.", ...JSON_BODY },
  404: { description: "No such model or version.", ...JSON_BODY },
};

/** Addresses below `/v1/models/<model>`, as the OpenAPI document lists them. */
export const TENSORFLOW_PATHS = Object.fromEntries(TARGETS.flatMap(describeTarget));

function describeTarget(target: string) {
  const names = [...target.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const parameters = names.map((name) => ({
    name,
    in: "path" as const,
    required: true,
    schema: { type: "string" as const },
  }));
  const shared = { ...SHARED, parameters, responses: RESPONSES };
  const verbs = Object.entries(VERBS).map(([verb, summary]) => [
    `${target}:${verb}`,
    { post: { ...shared, summary, requestBody: JSON_BODY } },
  ]);
  return [
    [target, { get: { ...shared, summary: "Versions of a model and their states" } }],
    [`${target}/metadata`, { get: { ...shared, summary: "What a model reads and answers" } }],
    ...verbs,
  ];
}
