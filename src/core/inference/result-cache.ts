import type { CacheStore } from "../ports/cache-store.ts";
import type { InferenceObserver } from "../ports/inference-observer.ts";

/** What is remembered about a text: the model's outputs and how much of the text they speak for. */
export interface CachedRow {
  readonly row: Float32Array;
  readonly windows: number;
  readonly truncated: boolean;
}

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

  /** What is known, in the order of `keys`; `undefined` where nothing is. */
  async lookUp(keys: readonly string[]): Promise<readonly (CachedRow | undefined)[]> {
    try {
      return (await this.#store.getMany(keys)).map(decodeRow);
    } catch (error) {
      this.#observer.cacheFailed(error);
      return keys.map(() => undefined);
    }
  }

  /** Stores in the background: an answer never waits for it. */
  remember(key: string, known: CachedRow): void {
    this.#store.set(key, encodeRow(known), this.#ttlMs).catch((error: unknown) => {
      this.#observer.cacheFailed(error);
    });
  }
}

/** A store keeps plain numbers: the row, then the number of windows, negative when the text was cut. */
function encodeRow({ row, windows, truncated }: CachedRow): Float32Array {
  const stored = new Float32Array(row.length + 1);
  stored.set(row);
  stored[row.length] = truncated ? -windows : windows;
  return stored;
}

function decodeRow(stored: Float32Array | undefined): CachedRow | undefined {
  if (stored === undefined) return undefined;
  const last = stored.length - 1;
  const windows = stored[last] ?? 1;
  return { row: stored.subarray(0, last), windows: Math.abs(windows), truncated: windows < 0 };
}
