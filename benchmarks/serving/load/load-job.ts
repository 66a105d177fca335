import type { LatencySummary } from "./latency-histogram.ts";

/** How requests follow each other. */
export type LoadMode =
  /** Every connection sends its next request when the last one is answered. */
  | { readonly kind: "closed" }
  /** Requests are due at times that do not depend on the answers. */
  | {
      readonly kind: "open";
      readonly requestsPerSecond: number;
      /** `exponential` gaps are what many independent callers make; `constant` gaps show the server alone. */
      readonly spacing: "exponential" | "constant";
      /**
       * `precise` polls the clock between arrivals, which costs up to a core; `sparing` sends what is due once a
       * millisecond and leaves the processor to the server.
       */
      readonly pacing: "precise" | "sparing";
      /** Requests that may wait for a free connection; further ones are not sent and counted as missed. */
      readonly maxBacklog: number;
    };

/** One measurement. */
export interface LoadJob {
  /** Where to; a loopback address. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly mode: LoadMode;
  readonly connections: number;
  readonly durationMs: number;
  /** An answer that takes longer counts as an error, and its connection is replaced. */
  readonly timeoutMs: number;
  /** Of the order of texts and the spacing of arrivals. */
  readonly seed: number;
  /** Answers with 2xx that take at most this long are good ones. */
  readonly sloMs: number;
  /** Whether to take the `Server-Timing` header apart, which costs the generator some microseconds per answer. */
  readonly readServerTiming: boolean;
}

/** What one measurement found. */
export interface LoadReport {
  readonly durationMs: number;
  /** Answers of any status that came within `durationMs`, per second. */
  readonly requestsPerSecond: number;
  /** Answers with 2xx that came within `durationMs`, per second. */
  readonly acceptedPerSecond: number;
  /** Those of them that also kept to `sloMs`, measured as `accepted` is: goodput. */
  readonly goodPerSecond: number;
  /** Requests that were written to a connection, per second. */
  readonly sentPerSecond: number;
  readonly sent: number;
  /** Open loop: requests that were due but never sent, because the backlog was full or the time was over. */
  readonly missed: number;
  /** Number of answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Answers with 2xx; in an open loop from the moment the request was due, so waiting in the generator counts. */
  readonly accepted: LatencySummary;
  /** Answers with 429, measured alike. */
  readonly rejected: LatencySummary;
  /** Answers with 2xx, from the moment the request was written. Equals `accepted` in a closed loop. */
  readonly acceptedFromWrite: LatencySummary;
  /** Answers with 429, from the moment the request was written. */
  readonly rejectedFromWrite: LatencySummary;
  readonly errors: LoadErrors;
  /** True when so many requests failed in a row that the job was given up. */
  readonly aborted: boolean;
  /** Answers with 2xx that are not those of the text they were given for. 0 when marks were not sent. */
  readonly wrongAnswers: number;
  /** By the names in the `Server-Timing` header, plus `gateway`: `total` without `infer`. Empty when not asked for. */
  readonly stages: Readonly<Record<string, LatencySummary>>;
  /** Processor time of the generator. */
  readonly generatorCpuSeconds: number;
}

/** Requests that got no answer. */
export interface LoadErrors {
  /** The connection could not be opened. */
  connect: number;
  /** The connection ended while an answer was due. */
  reset: number;
  timeout: number;
  /** The answer was not one that the parser understands. */
  malformed: number;
}

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);

/**
 * Refuses what would run without end or reach another machine.
 *
 * @throws RangeError naming the field
 */
export function assertLoadJob(job: LoadJob): void {
  if (!LOOPBACK.has(job.host)) {
    throw new RangeError(`host: only this machine may be loaded, not ${job.host}`);
  }
  assertBetween("port", job.port, 1, 65_535);
  assertBetween("connections", job.connections, 1, 4096);
  assertBetween("durationMs", job.durationMs, 1, 120_000);
  assertBetween("timeoutMs", job.timeoutMs, 1, 60_000);
  assertBetween("sloMs", job.sloMs, 1, 60_000);
  if (job.mode.kind === "closed") return;
  assertBetween("requestsPerSecond", job.mode.requestsPerSecond, 0.1, 1_000_000);
  assertBetween("maxBacklog", job.mode.maxBacklog, 0, 1_000_000);
}

function assertBetween(field: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw new RangeError(`${field}: must be between ${least} and ${most}, not ${value}`);
}
