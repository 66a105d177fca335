/** How a header is recognised. There are no regular expressions: they would run on every request. */
export interface HeaderMatch {
  /** Name in lower case. */
  readonly name: string;
  readonly test: "exact" | "prefix" | "suffix";
  readonly value: string;
}

/** Requests that a rule is about: those that have all of it. What is null, or an empty list, is not looked at. */
export interface FaultMatch {
  /** True says that the rule is meant for every request; nothing else may be named then. */
  readonly everything: boolean;
  /** Name of a model or graph, as the request names it, or the default one. */
  readonly model: string | null;
  /** The version that the request names, or that would answer it. */
  readonly version: string | null;
  /** Id of the API key, never the key itself. */
  readonly key: string | null;
  readonly headers: readonly HeaderMatch[];
}

/** Requests wait before they are answered. */
export interface FaultDelay {
  /** Share of the matching requests; 0 to 100, with two decimals that count. */
  readonly percent: number;
  /** How long, 1 to `MAX_DELAY_MS`; never past the request's deadline. */
  readonly fixedDelayMs: number;
}

/** Requests get an error instead of an answer. One of the two statuses is set. */
export interface FaultAbort {
  /** As in `FaultDelay`. */
  readonly percent: number;
  /** 400 to 599. */
  readonly httpStatus: number | null;
  /** A name of `GRPC_STATUSES`. */
  readonly grpcStatus: string | null;
}

/** A fault that is made on purpose. Immutable; fields are those of Istio's `HTTPFaultInjection`. */
export interface FaultRule {
  /** Also in the header `x-sluice-fault` of what it touched. */
  readonly name: string;
  readonly match: FaultMatch;
  readonly delay: FaultDelay | null;
  readonly abort: FaultAbort | null;
  /** Milliseconds since the Unix epoch; from then on the rule does nothing. */
  readonly expiresAtMs: number;
}

/** What rules know a request by. */
export interface FaultFacts {
  readonly requestId: string;
  readonly model: string;
  /** Null for a graph, which has none. */
  readonly version: string | null;
  readonly keyId: string | null;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

export const MAX_DELAY_MS = 600_000;
/** A rule that was forgotten ends by itself within a day. */
export const MAX_TTL_MS = 24 * 3_600_000;
