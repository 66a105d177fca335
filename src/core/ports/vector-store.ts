/** How near two vectors are. `cosine` and `dot`: larger is nearer; `l2`: Euclidean distance, smaller is nearer. */
export const VECTOR_METRICS = ["cosine", "dot", "l2"] as const;

export type VectorMetric = (typeof VECTOR_METRICS)[number];

/** What callers put beside a vector and filter by. */
export type VectorMetadata = Readonly<Record<string, string | number | boolean>>;

/** What is constant about a collection. */
export interface VectorCollection {
  /** 1 to 63 of `a-z 0-9 _ -`, first a letter. */
  readonly name: string;
  /** Length of its vectors, 1 to 4096. */
  readonly dimensions: number;
  readonly metric: VectorMetric;
  /** What made the vectors, e.g. a model with its version and digest; vectors of another maker do not compare. */
  readonly origin: string;
}

export interface VectorItem {
  /** 1 to 200 characters, chosen by the caller. */
  readonly id: string;
  readonly vector: Float32Array;
  /** What the vector stands for; kept as it is. */
  readonly text: string | undefined;
  /** What an example is an example of. */
  readonly label: string | undefined;
  readonly metadata: VectorMetadata;
}

/** An item that was found, without its vector. */
export interface VectorMatch {
  readonly id: string;
  readonly text: string | undefined;
  readonly label: string | undefined;
  readonly metadata: VectorMetadata;
  /** In the collection's metric: cosine similarity, dot product, or Euclidean distance. */
  readonly score: number;
}

/** All of these must hold: equality for each key of `metadata`, and the label. */
export interface VectorFilter {
  readonly metadata?: VectorMetadata;
  readonly label?: string;
}

/**
 * Keeps vectors by collection and finds the nearest.
 *
 * Durability: what a settled `upsert` stored survives the end of the process. Upsert and remove are atomic: all items of
 * one call or none. A search sees every write that settled before it started.
 * Errors: SluiceError `not_found` for a collection that does not exist, `invalid_argument` for vectors of another length
 * or with numbers that are not finite (and, for cosine, of length zero), `unavailable` while the store cannot be reached.
 */
export interface VectorStore {
  readonly description: string;
  /** Makes a collection. One that exists with the same constants is left as it is; @throws SluiceError `invalid_argument` when they differ. */
  create(collection: VectorCollection): Promise<void>;
  /** All collections with their number of items, by name. */
  list(): Promise<readonly (VectorCollection & { readonly items: number })[]>;
  /** Removes a collection with everything in it; false when there is none. */
  drop(name: string): Promise<boolean>;
  /** Stores items; those whose id exists are replaced. An id twice in one call: the last one counts. */
  upsert(name: string, items: readonly VectorItem[]): Promise<void>;
  /** @returns how many of `ids` there were */
  remove(name: string, ids: readonly string[]): Promise<number>;
  /** The `k` (1 to 1000) nearest that pass the filter, nearest first; ties by id. */
  search(
    name: string,
    query: { readonly vector: Float32Array; readonly k: number; readonly filter?: VectorFilter },
  ): Promise<readonly VectorMatch[]>;
  /** Items with their vectors by id in ascending order of UTF-8 bytes, from the first behind `after`; at most `limit` (1 to 1000). */
  page(
    name: string,
    range: { readonly after?: string; readonly limit: number; readonly filter?: VectorFilter },
  ): Promise<readonly VectorItem[]>;
  /** Idempotent. */
  close(): Promise<void>;
}
