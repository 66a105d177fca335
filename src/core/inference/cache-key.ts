import type { ActivationFunction } from "../text/labels.ts";

/** Everything that a score vector depends on beside its text. */
export interface ScoreSource {
  readonly model: string;
  readonly version: string;
  /** Digest of the package's files, so that a replaced package never answers with its predecessor's scores. */
  readonly digest: string;
}

/** 64 bits tell the packages apart that ever bear the same name and version; more would only be hashed each time. */
const DIGEST_DIGITS = 16;

/**
 * What the cache keys of one model version begin with, for each function that scores may be computed by. A key is this
 * followed by the normalized text: the question itself, not a hash of it, so that equality is exact and the same in
 * every process. Only the text, which comes last, can hold a line break, so no two questions share a key.
 */
export function createCacheKeyPrefixes(
  source: ScoreSource,
): Readonly<Record<ActivationFunction, string>> {
  const { model, version } = source;
  const digest = source.digest.slice(0, DIGEST_DIGITS);
  const prefix = (activation: ActivationFunction) =>
    `${model}\n${version}\n${digest}\n${activation}\n`;
  return { softmax: prefix("softmax"), sigmoid: prefix("sigmoid"), none: prefix("none") };
}
