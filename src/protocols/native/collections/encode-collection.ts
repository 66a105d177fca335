import type { Collection } from "../../../core/collections/collection.ts";
import type { ExamplesReport } from "../../../core/collections/measure-examples.ts";
import type { VectorItem, VectorMatch } from "../../../core/ports/vector-store.ts";

/** What is answered about collections. Everything that may be missing is null. */

export function encodeCollection(collection: Collection): string {
  return JSON.stringify(toWire(collection));
}

export function encodeCollections(collections: readonly Collection[]): string {
  return JSON.stringify({ collections: collections.map(toWire) });
}

function toWire({ name, dimensions, metric, embedding, items }: Collection) {
  return {
    name,
    items,
    dimensions,
    metric,
    model: embedding?.model ?? null,
    model_version: embedding?.version ?? null,
  };
}

export function encodeIds(ids: readonly string[]): string {
  return JSON.stringify({ stored: ids.length, ids });
}

export function encodeMatches(matches: readonly VectorMatch[]): string {
  return JSON.stringify({ matches: matches.map(toWireMatch) });
}

/** An item that was found. */
export function toWireMatch({ id, score, label, text, metadata }: VectorMatch) {
  return { id, score, label: label ?? null, text: text ?? null, metadata };
}

/** @param limit what was asked for: a full page may have another behind it */
export function encodeItems(
  items: readonly VectorItem[],
  { limit, vectors }: { readonly limit: number; readonly vectors: boolean },
): string {
  const encoded = items.map(({ id, label, text, metadata, vector }) => ({
    ...{ id, label: label ?? null, text: text ?? null, metadata },
    ...(vectors ? { vector: Array.from(vector) } : {}),
  }));
  const next = items.length === limit ? (items.at(-1)?.id ?? null) : null;
  return JSON.stringify({ items: encoded, next });
}

export function encodeReport(report: ExamplesReport): string {
  const { k, examples, isComplete, accuracy, labels, blends } = report;
  const best = blends.toSorted((a, b) => b.accuracy - a.accuracy)[0];
  return JSON.stringify({
    k,
    examples,
    complete: isComplete,
    accuracy,
    labels: labels.map(({ label, examples: count, right }) => ({
      label,
      examples: count,
      accuracy: right / count,
    })),
    blends: blends.map(({ weight, accuracy: share }) => ({
      examples_weight: weight,
      accuracy: share,
    })),
    best_examples_weight: best?.weight ?? null,
  });
}
