import { SluiceError } from "../errors.ts";
import { MODEL_DEFAULTS } from "../inference/request.ts";
import type { ItemResult, Prediction } from "../inference/result.ts";
import type { InferencePipeline } from "../inference/run-inference.ts";
import { streamInference } from "../inference/stream-inference.ts";
import type { VectorCollection, VectorItem, VectorStore } from "../ports/vector-store.ts";
import { blendLabels } from "./blend-labels.ts";
import type { Wait } from "./collection.ts";
import type { LabelShares } from "./vote-neighbors.ts";
import { voteNeighbors } from "./vote-neighbors.ts";

export interface MeasureOptions {
  /** Neighbours that have a say. */
  readonly k: number;
  /** Examples to measure on; of more, the first by id. */
  readonly maxExamples: number;
  /** A classifier to measure beside the examples and blended with them; undefined = none. */
  readonly model: { readonly name: string; readonly version: string | undefined } | undefined;
}

/** How well labelled examples tell each other's labels. Accuracies are shares of the examples, 0 to 1. */
export interface ExamplesReport {
  readonly k: number;
  /** Labelled examples that were measured. */
  readonly examples: number;
  /** Examples that were left out, because there are more than were to be measured. */
  readonly isComplete: boolean;
  readonly accuracy: number;
  /** By label, in the order of their names. */
  readonly labels: readonly {
    readonly label: string;
    readonly examples: number;
    readonly right: number;
  }[];
  /** How right the blend is with the examples weighing 0 (the model alone) to 1; empty without a model. */
  readonly blends: readonly { readonly weight: number; readonly accuracy: number }[];
}

export interface MeasureSurroundings {
  readonly store: VectorStore;
  readonly pipeline: InferencePipeline;
  readonly wait: Wait;
}

const PAGE_ITEMS = 500;
const SEARCHES_AT_ONCE = 8;
const LOOKED_AT_PER_NEIGHBOR = 4;
const MAX_FOUND = 1000;
const SLICE_TEXTS = 64;
const WEIGHTS = [0, 0.25, 0.5, 0.75, 1];

interface Judged {
  readonly item: VectorItem;
  readonly shares: LabelShares;
}

/**
 * Leave-one-out: each labelled example is classified by its neighbours among the others, as if it had never been added (M.
 * Stone, "Cross-validatory choice", 1974). Examples that are repetitions of others make it too good.
 *
 * @throws SluiceError `invalid_argument` with fewer than two labelled examples; `deadline_exceeded` when the time does not
 * suffice
 */
export async function measureExamples(
  { name, metric }: VectorCollection,
  options: MeasureOptions,
  surroundings: MeasureSurroundings,
): Promise<ExamplesReport> {
  const { store, wait, pipeline } = surroundings;
  const { items, isComplete } = await readExamples(name, options.maxExamples, store);
  if (items.length < 2) {
    const message = `The collection ${name} has fewer than two items with a label; add labelled items first.`;
    throw new SluiceError("invalid_argument", message);
  }
  const k = Math.min(MAX_FOUND, (options.k + 1) * LOOKED_AT_PER_NEIGHBOR);
  const judged: Judged[] = [];
  for (let start = 0; start < items.length; start += SEARCHES_AT_ONCE) {
    assertTime(wait, pipeline.clock.nowMs());
    const some = items.slice(start, start + SEARCHES_AT_ONCE);
    const found = await Promise.all(some.map(({ vector }) => store.search(name, { vector, k })));
    for (const [i, item] of some.entries()) {
      const others = (found[i] ?? []).filter(
        ({ id, label }) => id !== item.id && label !== undefined,
      );
      judged.push({ item, shares: voteNeighbors(others.slice(0, options.k), metric) });
    }
  }
  const isRight = ({ item, shares }: Judged) => shares[0]?.label === item.label;
  const right = judged.filter(isRight).length;
  return {
    k: options.k,
    examples: items.length,
    isComplete,
    accuracy: right / items.length,
    labels: countByLabel(judged, isRight),
    blends:
      options.model === undefined ? [] : await measureBlends(judged, options.model, surroundings),
  };
}

async function readExamples(name: string, max: number, store: VectorStore) {
  const items: VectorItem[] = [];
  let after: string | undefined;
  for (;;) {
    const range = after === undefined ? {} : { after };
    const page = await store.page(name, { ...range, limit: PAGE_ITEMS });
    for (const item of page) {
      if (item.label === undefined) continue;
      if (items.length === max) return { items, isComplete: false };
      items.push(item);
    }
    after = page.at(-1)?.id;
    if (page.length < PAGE_ITEMS) return { items, isComplete: true };
  }
}

function countByLabel(judged: readonly Judged[], isRight: (one: Judged) => boolean) {
  const counts = new Map<string, { examples: number; right: number }>();
  for (const one of judged) {
    const { label = "" } = one.item;
    const count = counts.get(label) ?? { examples: 0, right: 0 };
    counts.set(label, count);
    count.examples++;
    if (isRight(one)) count.right++;
  }
  return [...counts]
    .map(([label, count]) => ({ label, ...count }))
    .sort((a, b) => (a.label < b.label ? -1 : 1));
}

/** Only examples with a text can be asked of a model. */
async function measureBlends(
  judged: readonly Judged[],
  { name, version }: { readonly name: string; readonly version: string | undefined },
  { pipeline, wait }: MeasureSurroundings,
) {
  const askable = judged.filter(({ item }) => item.text !== undefined);
  if (askable.length === 0) return [];
  const inputs = askable.map(({ item }) => ({ text: item.text ?? "", pair: undefined }));
  const request = {
    ...{ model: name, version, inputs, lane: "bulk" as const, ...wait },
    options: { ...MODEL_DEFAULTS, topK: 0 },
  };
  const predictions: (Prediction | undefined)[] = [];
  for await (const { index, item } of streamInference(request, pipeline, SLICE_TEXTS)) {
    predictions[index] = toPrediction(item);
  }
  return WEIGHTS.map((weight) => {
    let right = 0;
    for (const [i, { item, shares }] of askable.entries()) {
      const prediction = predictions[i];
      if (prediction?.kind !== "labels") continue;
      const blended = blendLabels(prediction, shares, weight, { topK: 1, abstainBelow: undefined });
      if (blended.labels[0]?.label === item.label) right++;
    }
    return { weight, accuracy: right / askable.length };
  });
}

function toPrediction(item: ItemResult): Prediction | undefined {
  return item.ok ? item.prediction : undefined;
}

function assertTime({ deadlineMs, cancellation }: Wait, nowMs: number): void {
  if (cancellation.cancelled) throw new SluiceError("cancelled", "The caller went away.");
  if (nowMs < deadlineMs) return;
  const message =
    "The time did not suffice to measure so many examples; ask for fewer, or wait longer.";
  throw new SluiceError("deadline_exceeded", message, {
    details: [{ field: "max_examples", problem: "is more than the time suffices for" }],
  });
}
