import type { FastifyReply } from "fastify";

/**
 * Set by hand on every answer: a plugin that computes them each time costs half of the server's throughput.
 * `default-src 'none'` suits JSON; pages override it.
 */
const HEADERS = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
} as const;

export function setSecurityHeaders(reply: FastifyReply): void {
  reply.headers(HEADERS);
}
