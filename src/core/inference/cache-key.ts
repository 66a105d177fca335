import type { ActivationFunction } from "../text/labels.ts";

/** Everything that a score vector depends on. */
export interface ScoreQuestion {
  readonly model: string;
  readonly version: string;
  /** Digest of the package's files, so that a replaced package never answers with its predecessor's scores. */
  readonly digest: string;
  readonly activation: ActivationFunction;
  /** Normalized text. */
  readonly text: string;
}

/**
 * The cache key of a question: the question itself, not a hash of it, so that equality is exact and the same in every
 * process. Only the text, which comes last, can hold the separator, so no two questions share a key.
 */
export function cacheKey(question: ScoreQuestion): string {
  return `${cacheKeyPrefix(question)}${question.text}`;
}

/** The part of the key that all texts of one request share. */
export function cacheKeyPrefix(question: Omit<ScoreQuestion, "text">): string {
  return `${question.model}\n${question.version}\n${question.digest}\n${question.activation}\n`;
}
