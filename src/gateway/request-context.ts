import type { StageTimings, StepTiming } from "../core/inference/result.ts";
import type { ErrorEncoder } from "../protocols/error-encoder.ts";
import { encodeError } from "../protocols/native/encode-error.ts";

/**
 * `json`: parsed, and nothing else is taken. `bytes`: whatever it says it is, as it is. `stream`: the same, still coming in and as
 * it was sent; the route reads it and bounds it.
 */
export type BodyKind = "json" | "bytes" | "stream";

/** Who is asking, as far as limits are concerned. */
export interface Caller {
  /** Key of the rate limit: `key:<id>` or `address:<address>`. */
  readonly id: string;
  /** Allowance of its own; `undefined` = the server's. */
  readonly rateLimitRequests: number | undefined;
  /** Share of a busy model, relative to other callers; > 0. */
  readonly weight: number;
}

/** Where a caller stands in its window, for the headers of the answer. */
export interface Allowance {
  readonly limit: number;
  readonly remaining: number;
  readonly windowSeconds: number;
  readonly resetSeconds: number;
}

/** What the gateway knows about a request while it is being answered; the headers of its answer are made from it. */
export interface RequestContext {
  readonly startedMs: number;
  /** Pattern of the route that answers, or `NO_ROUTE`. */
  route: string;
  /** How its error would be written: in the words of the address that was asked. */
  encodeError: ErrorEncoder;
  /** What the route takes for a body. */
  body: BodyKind;
  authMs: number;
  /** Set once the caller is known. */
  caller: Caller | undefined;
  allowance: Allowance | undefined;
  /** Set by routes that ran a model. */
  stages: CallStages | undefined;
  /** Name of the rule by which a fault was made on purpose. */
  fault: string | undefined;
}

/** Where the time of a request went, for the answer's headers. */
export type CallStages = StageTimings & {
  readonly cache: string;
  /** Set when a graph answered. */
  readonly steps?: readonly StepTiming[] | undefined;
};

declare module "fastify" {
  interface FastifyRequest {
    context: RequestContext;
  }
}

/** The route of pages, and of addresses that do not exist. */
export const NO_ROUTE = "other";

export function createRequestContext(startedMs: number): RequestContext {
  return {
    startedMs,
    route: NO_ROUTE,
    encodeError,
    body: "json",
    authMs: 0,
    caller: undefined,
    allowance: undefined,
    stages: undefined,
    fault: undefined,
  };
}
