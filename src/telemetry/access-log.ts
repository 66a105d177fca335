import type { Logger } from "../core/ports/logger.ts";

/** What of a request and its answer the access log looks at: Fastify's objects satisfy it. */
interface LoggedRequest {
  readonly id: string;
  readonly method: string;
  readonly context: { readonly route: string };
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Writes one line per answer. */
export type AccessLog = (request: LoggedRequest, status: number, durationMs: number) => void;

/**
 * `errors`: answers of 500 and above; `all`: every answer, which costs a third of the throughput of a cheap model.
 * Lines hold the route, never the query, the body or a key.
 */
export function createAccessLog(mode: "off" | "errors" | "all", logger: Logger): AccessLog {
  if (mode === "off") return () => {};
  return (request, status, durationMs) => {
    // Probes of a server that drains are answered with 503 by design.
    const isError = status >= 500 && !request.context.route.startsWith("/health");
    if (mode === "errors" && !isError) return;
    const fields = {
      requestId: request.id,
      sentRequestId: request.headers["x-request-id"],
      method: request.method,
      route: request.context.route,
      status,
      durationMs: Math.round(durationMs * 1000) / 1000,
    };
    if (isError) logger.warn("answered", fields);
    else logger.info("answered", fields);
  };
}
