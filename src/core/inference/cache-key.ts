/** Everything that a model's outputs depend on beside the text. */
export interface RowSource {
  readonly model: string;
  readonly version: string;
  /** Digest of the package's files, so that a replaced package never answers with its predecessor's outputs. */
  readonly digest: string;
}

/** 64 bits tell the packages apart that ever bear the same name and version; more would only be hashed each time. */
const DIGEST_DIGITS = 16;

/** What the cache keys of one model version begin with. */
export function createCacheKeyPrefix({ model, version, digest }: RowSource): string {
  return `${model}\n${version}\n${digest.slice(0, DIGEST_DIGITS)}\n`;
}

/**
 * The key of a text or a pair of texts: the question itself, not a hash of it, so that equality is exact and the same in
 * every process. Normalized texts hold no line break, so no two questions share a key.
 *
 * What the caller wants done with the outputs is no part of it: that is computed from the outputs, which are cached.
 */
export function createCacheKey(prefix: string, text: string, pair: string | undefined): string {
  return pair === undefined ? prefix + text : `${prefix}${text}\n${pair}`;
}
