import fastifySwagger from "@fastify/swagger";
import fastifySwaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { jsonAnswer } from "../answer.ts";
import type { Route } from "../route.ts";
import { TENSORFLOW_PATHS } from "./tensorflow-serving/openapi-paths.ts";

/**
 * Collects the routes that are registered after it into an OpenAPI document, and shows it as a page at `/docs` that can
 * send requests. Needs no network.
 */
export async function registerDocs(app: FastifyInstance, version: string): Promise<void> {
  await app.register(fastifySwagger, { openapi: describeApi(version) });
  await app.register(fastifySwaggerUi, {
    routePrefix: "/docs",
    staticCSP: PAGE_POLICY,
    uiConfig: { docExpansion: "list", tryItOutEnabled: true, displayRequestDuration: true },
    theme: {
      title: "Sluice API",
      // The bar on top offers to load other documents, which the page's policy forbids anyway.
      css: [{ filename: "theme.css", content: ".swagger-ui .topbar { display: none }" }],
    },
  });
}

/** `GET /openapi.json`, and the root: from there browsers get to the page, and programs learn that somebody is here. */
export function createDocsRoutes(app: FastifyInstance): readonly Route[] {
  const shared = { method: "GET", access: "public", schema: { hide: true } } as const;
  return [
    {
      ...shared,
      path: "/openapi.json",
      handle: () => jsonAnswer(200, JSON.stringify(app.swagger())),
    },
    {
      ...shared,
      path: "/",
      handle: ({ headers }) =>
        headers.accept?.includes("text/html") === true
          ? { ...jsonAnswer(302, ""), headers: ["location", "/docs"] }
          : jsonAnswer(200, JSON.stringify({ status: "alive" })),
    },
  ];
}

/** The page loads nothing from elsewhere. */
const PAGE_POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; frame-ancestors 'none'";

/** Parts of the API in the order of the page: our own first, then what other servers' clients call. */
const TAGS = [
  { name: "inference", description: "Ask a model." },
  { name: "models", description: "What there is to ask." },
  { name: "jobs", description: "Many texts that are answered without anybody waiting." },
  { name: "collections", description: "Texts to search by meaning, and to classify by." },
  { name: "releases", description: "New versions go live step by step." },
  { name: "feedback", description: "What would have been right, and sets of labelled texts." },
  { name: "faults", description: "Delays and errors on purpose." },
  { name: "operations", description: "Health and metrics." },
  { name: "open inference", description: "For clients of Triton, KServe and MLServer." },
  { name: "tensorflow serving", description: "For clients of TensorFlow Serving and KServe V1." },
  { name: "text embeddings inference", description: "For clients of Hugging Face." },
  { name: "openai", description: "For clients of OpenAI." },
];

function describeApi(version: string) {
  return {
    openapi: "3.1.0",
    tags: TAGS,
    // Those that a wildcard serves; the others come from their routes.
    paths: TENSORFLOW_PATHS,
    info: {
      title: "Sluice",
      version,
      description:
        "AI inference over HTTP. Every answer carries `X-Request-Id` and `Server-Timing`; every refusal a code, a message and the fields that are wrong.",
    },
    components: {
      securitySchemes: { apiKey: { type: "http" as const, scheme: "bearer" } },
    },
  };
}
