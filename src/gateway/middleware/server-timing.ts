import type { RequestContext } from "../request-context.ts";

/**
 * Value of the `Server-Timing` header (W3C Server Timing): where the time of this answer went, in milliseconds.
 * Answers that no model made have `auth` and `total` alone.
 */
export function formatServerTiming(context: RequestContext, nowMs: number): string {
  const { stages } = context;
  const total = format(nowMs - context.startedMs);
  const auth = format(context.authMs);
  if (stages === undefined) return `auth;dur=${auth}, total;dur=${total}`;
  const cache = format(stages.cacheMs);
  const tokenize = format(stages.tokenizeMs);
  const queue = format(stages.queueMs);
  const infer = format(stages.inferMs);
  return `auth;dur=${auth}, cache;desc=${stages.cache};dur=${cache}, tokenize;dur=${tokenize}, queue;dur=${queue}, infer;dur=${infer}, total;dur=${total}`;
}

/** Microsecond resolution. */
function format(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
