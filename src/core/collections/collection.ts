import type { Flow } from "../inference/fair-line.ts";
import type { Cancellation } from "../ports/cancellation.ts";
import type { VectorFilter, VectorMetadata, VectorMetric } from "../ports/vector-store.ts";

/** A collection as callers see it. */
export interface Collection {
  readonly name: string;
  readonly dimensions: number;
  readonly metric: VectorMetric;
  /** What makes vectors of its texts; undefined when callers bring the vectors. */
  readonly embedding: EmbeddingModel | undefined;
  readonly items: number;
}

/** A model whose vectors a collection holds. Vectors of another version, or of other weights, do not compare. */
export interface EmbeddingModel {
  readonly model: string;
  readonly version: string;
  /** First digits of the digest of its files. */
  readonly digest: string;
}

/** A collection that is to be: with a model of embeddings, or for vectors that callers bring. */
export interface NewCollection {
  readonly name: string;
  readonly metric: VectorMetric;
  /** `undefined` with `dimensions` undefined too: whichever model of embeddings there is. */
  readonly model: string | undefined;
  readonly version: string | undefined;
  /** Length of vectors that callers bring; then there is no model. */
  readonly dimensions: number | undefined;
}

/** An item as a caller brings it: with a text, a vector, or both. */
export interface NewItem {
  /** `undefined` = made of the text, so that the same text is the same item. */
  readonly id: string | undefined;
  readonly text: string | undefined;
  readonly vector: Float32Array | undefined;
  readonly label: string | undefined;
  readonly metadata: VectorMetadata;
}

/** What is looked for: by text or by vector, one of the two. */
export interface CollectionQuery {
  readonly text: string | undefined;
  readonly vector: Float32Array | undefined;
  readonly k: number;
  readonly filter: VectorFilter;
}

/** How long and for whom somebody waits. */
export interface Wait {
  /** `Clock.nowMs` time after which nobody wants the answer. */
  readonly deadlineMs: number;
  readonly cancellation: Cancellation;
  readonly flow: Flow;
}

const CALLERS_VECTORS = "caller";

/** The origin of a collection's vectors as a store keeps it. */
export function toOrigin(embedding: EmbeddingModel | undefined): string {
  if (embedding === undefined) return CALLERS_VECTORS;
  return `${embedding.model}@${embedding.version}#${embedding.digest}`;
}

/** Reads what `toOrigin` wrote. */
export function parseOrigin(origin: string): EmbeddingModel | undefined {
  const match = /^(.+)@([^@#]+)#([^#]*)$/.exec(origin);
  if (match === null) return undefined;
  const [, model = "", version = "", digest = ""] = match;
  return { model, version, digest };
}
