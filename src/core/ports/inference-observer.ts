import type { ErrorCode } from "../errors.ts";

/** Where an answer came from: the model, the result cache, or another request's run of the same text. */
export type AnswerSource = "model" | "cache" | "coalesced";

export interface BatchObservation {
  readonly items: number;
  /** Ids in the batch, without padding. */
  readonly tokens: number;
  /** Ids in the batch when every text is padded to the longest. */
  readonly paddedTokens: number;
  /** No caller asked for any of them, since a release asks by itself: copies, replayed texts, sets of labelled texts. */
  readonly isCopy: boolean;
  /** Wait of the oldest one. */
  readonly queueMs: number;
  readonly runMs: number;
  readonly failed: boolean;
}

/**
 * Hears what happened to one model version, after it happened. Calls are synchronous, must not throw and must return
 * within a microsecond: what takes longer belongs on a queue of the observer's own. An observer never changes an answer.
 */
export interface VersionObserver {
  batchFinished(observation: BatchObservation): void;
  /** `durationMs` from the start of the request to this prediction. */
  predictionMade(bestLabel: string, source: AnswerSource, durationMs: number): void;
  itemFailed(code: ErrorCode): void;
}

/** Hears what happens on the request path. */
export interface InferenceObserver {
  /** The observer of one version; called once, when the version is loaded. */
  forVersion(model: string, version: string): VersionObserver;
  /** The cache rejected a call; the request went on without it. */
  cacheFailed(error: unknown): void;
}
