import type { FastifyRequest } from "fastify";
import type { Cancellation } from "../core/ports/cancellation.ts";
import type { RequestIdentity } from "../core/releases/assign-version.ts";
import type { ConnectionWatch } from "./middleware/cancellation.ts";
import type { DeadlineLimits } from "./middleware/deadline.ts";
import { readTimeoutMs } from "./middleware/deadline.ts";
import type { Caller, CallStages } from "./request-context.ts";
import { toRequestIdentity } from "./request-identity.ts";

/** One request, whatever brought it here: what the way to a result needs to know of it. */
export interface Call {
  /** Unique; also in the log. */
  readonly id: string;
  /** `Clock.nowMs` time of its arrival. */
  readonly startedMs: number;
  /** How long its caller waits, from its arrival. */
  readonly timeoutMs: number;
  readonly caller: Caller;
  readonly cancellation: Cancellation;
  /** What releases know it by. */
  identify(): RequestIdentity;
  /** Notes where the time went. */
  noteStages(stages: CallStages): void;
  /** Notes that a fault was made on purpose. @param rule its name, which the answer says */
  noteFault(rule: string): void;
}

/** Routes for callers always know who calls. */
const NOBODY: Caller = { id: "unknown", weight: 1, rateLimitRequests: undefined };

/** @throws SluiceError `invalid_argument` when the header that says how long the caller waits makes no sense */
export function toHttpCall(
  request: FastifyRequest,
  limits: DeadlineLimits,
  connections: ConnectionWatch,
): Call {
  const { context } = request;
  return {
    id: request.id,
    startedMs: context.startedMs,
    timeoutMs: readTimeoutMs(request.headers, limits),
    caller: context.caller ?? NOBODY,
    cancellation: connections.watch(request.raw.socket),
    identify: () => toRequestIdentity(request.id, context.caller ?? NOBODY, request.headers),
    noteStages: (stages) => {
      context.stages = stages;
    },
    noteFault: (rule) => {
      context.fault = rule;
    },
  };
}
