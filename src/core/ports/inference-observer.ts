import type { ErrorCode } from "../errors.ts";

export interface BatchObservation {
  readonly model: string;
  readonly version: string;
  readonly items: number;
  /** Ids in the batch, without padding. */
  readonly tokens: number;
  /** Ids in the batch when every text is padded to the longest. */
  readonly paddedTokens: number;
  /** Wait of the oldest member. */
  readonly queueMs: number;
  readonly runMs: number;
  readonly failed: boolean;
}

export interface PredictionObservation {
  readonly model: string;
  readonly version: string;
  readonly label: string;
  readonly source: "model" | "cache" | "coalesced";
  readonly durationMs: number;
}

/**
 * Hears what happened, after it happened. Calls are synchronous, must not throw and must return within
 * microseconds: what takes longer belongs on a queue of the observer's own. An observer never changes an answer.
 */
export interface InferenceObserver {
  batchFinished(observation: BatchObservation): void;
  predictionMade(observation: PredictionObservation): void;
  itemFailed(model: string, version: string, code: ErrorCode): void;
  /** The cache rejected a call; the request went on without it. */
  cacheFailed(error: unknown): void;
}
