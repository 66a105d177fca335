import fastifySwagger from "@fastify/swagger";
import fastifySwaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { JSON_TYPE } from "../answer.ts";
import type { RouteOptions } from "../gateway-options.ts";

/**
 * `GET /openapi.json`, and a page at `/docs` that shows it and can send requests. Needs no network. Must be registered
 * before the routes that the document describes.
 */
export async function registerDocs(app: FastifyInstance, options: RouteOptions): Promise<void> {
  app.addHook("onRoute", (route) => {
    if (route.url.startsWith("/docs")) route.config = { ...route.config, access: "public" };
  });
  await app.register(fastifySwagger, { openapi: describeApi(options.version) });
  await app.register(fastifySwaggerUi, {
    routePrefix: "/docs",
    staticCSP: PAGE_POLICY,
    uiConfig: { docExpansion: "list", tryItOutEnabled: true, displayRequestDuration: true },
    theme: { title: "Sluice API" },
  });
  const hidden = { config: { access: "public" }, schema: { hide: true } } as const;
  app.get("/openapi.json", hidden, async (request, reply) => {
    const body = JSON.stringify(app.swagger());
    options.answerer.send(request, reply, { status: 200, contentType: JSON_TYPE, body });
  });
  app.get("/", hidden, async (_request, reply) => reply.redirect("/docs"));
}

/** The page loads nothing from elsewhere. */
const PAGE_POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; frame-ancestors 'none'";

function describeApi(version: string) {
  return {
    openapi: "3.1.0",
    info: {
      title: "Sluice",
      version,
      description: "AI inference: classification of text over HTTP.",
    },
    components: {
      securitySchemes: { apiKey: { type: "http" as const, scheme: "bearer" } },
    },
  };
}
