import type { CacheStore } from "../ports/cache-store.ts";
import type { InferenceObserver } from "../ports/inference-observer.ts";

/**
 * The cache as the request path wants it: it answers or it does not, but never fails. A store that rejects counts as
 * a miss and is reported to the observer.
 */
export class ResultCache {
  readonly #store: CacheStore;
  readonly #ttlMs: number;
  readonly #observer: Pick<InferenceObserver, "cacheFailed">;

  constructor(store: CacheStore, ttlMs: number, observer: Pick<InferenceObserver, "cacheFailed">) {
    this.#store = store;
    this.#ttlMs = ttlMs;
    this.#observer = observer;
  }

  /** Score vectors in the order of `keys`; `undefined` where nothing is known. */
  async lookUp(keys: readonly string[]): Promise<readonly (Float32Array | undefined)[]> {
    try {
      return await this.#store.getMany(keys);
    } catch (error) {
      this.#observer.cacheFailed(error);
      return keys.map(() => undefined);
    }
  }

  /** Stores in the background: an answer never waits for it. */
  remember(key: string, scores: Float32Array): void {
    this.#store.set(key, scores, this.#ttlMs).catch((error: unknown) => {
      this.#observer.cacheFailed(error);
    });
  }
}
