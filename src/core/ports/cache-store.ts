/**
 * Keeps score vectors for a while. Keys are complete (see `cache-key.ts`): two different questions never share one,
 * and a store compares whole keys, never only their hashes.
 *
 * Concurrency: calls may overlap freely. Ordering: a `set` is visible to every `getMany` that starts after it settled.
 * Errors: a driver may reject with anything; the core treats that as a miss and counts it, so a cache that is down
 * never fails a request.
 */
export interface CacheStore {
  readonly description: string;
  /** Values in the order of `keys`; `undefined` for what is absent or expired. */
  getMany(keys: readonly string[]): Promise<readonly (Float32Array | undefined)[]>;
  /** Stores a value for `ttlMs` (> 0). The value is not modified afterwards by either side. */
  set(key: string, value: Float32Array, ttlMs: number): Promise<void>;
  /** Releases connections and memory. Idempotent. */
  close(): Promise<void>;
}
