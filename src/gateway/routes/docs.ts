import fastifySwaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";

/** `GET /openapi.json`, and a page at `/docs` that shows it and can send requests. Needs no network. */
export async function registerDocs(app: FastifyInstance): Promise<void> {
  app.get(
    "/openapi.json",
    { config: { access: "public" }, schema: { hide: true } },
    async (_request, reply) => {
      reply.header("content-type", "application/json; charset=utf-8");
      return JSON.stringify(app.swagger());
    },
  );
  app.get("/", { config: { access: "public" }, schema: { hide: true } }, async (_request, reply) =>
    reply.redirect("/docs"),
  );
  app.addHook("onRoute", (route) => {
    if (route.url.startsWith("/docs")) route.config = { ...route.config, access: "public" };
  });
  await app.register(fastifySwaggerUi, {
    routePrefix: "/docs",
    staticCSP: true,
    uiConfig: { docExpansion: "list", tryItOutEnabled: true, displayRequestDuration: true },
    theme: { title: "Sluice API" },
  });
}
