import { SluiceError, toSluiceError } from "../errors.ts";
import type { ModelRegistry } from "../models/registry.ts";
import type { ServingVersion } from "../models/serving-version.ts";
import type { Clock } from "../ports/clock.ts";
import type { InferenceObserver } from "../ports/inference-observer.ts";
import type { EncodedText } from "../ports/tokenizer.ts";
import type { ActivationFunction } from "../text/labels.ts";
import { applyActivation, defaultActivation, defaultTopK, rankLabels } from "../text/labels.ts";
import { normalizeText } from "../text/normalize.ts";
import type { BatchOutcome } from "./batcher.ts";
import { cacheKeyPrefix } from "./cache-key.ts";
import type { Coalescer } from "./coalesce.ts";
import type { InferenceRequest } from "./request.ts";
import type { InferenceResult, ItemResult } from "./result.ts";
import type { ResultCache } from "./result-cache.ts";

/** What the request path works with. Built once, at start. */
export interface ClassifyPipeline {
  readonly clock: Clock;
  readonly registry: ModelRegistry;
  readonly cache: ResultCache;
  readonly coalescer: Coalescer<BatchOutcome>;
  readonly observer: InferenceObserver;
}

/**
 * Classifies the texts of one request.
 *
 * @returns one item per text, in order; a text that fails carries its own error
 * @throws SluiceError when nothing could be answered: `not_found`, `unavailable`, `overloaded`, or the common error of
 * all texts
 */
export async function classify(
  request: InferenceRequest,
  pipeline: ClassifyPipeline,
): Promise<InferenceResult> {
  const { clock, cache, observer } = pipeline;
  const startedMs = clock.nowMs();
  const serving = pipeline.registry.resolve(request.model, request.version);
  const run = new ClassifyRun(request, serving, pipeline, startedMs);

  const questions = request.texts.map((text) => run.toQuestion(text));
  const known = await cache.lookUp(questions.map((question) => question.key));
  run.timings.cacheMs = clock.nowMs() - startedMs;

  const unknown = questions.filter((question, i) => question.text !== "" && known[i] === undefined);
  const encoded = run.tokenize(unknown);
  run.assertRoomFor(encoded);

  const items = await Promise.all(
    questions.map((question, i) => {
      const scores = known[i];
      if (question.text === "") return EMPTY_TEXT;
      if (scores !== undefined) return run.label(scores, "cache", false);
      return run.compute(question, encoded);
    }),
  );
  for (const item of items) run.report(item, observer);
  throwIfAllFailed(items);
  const { name, version } = serving.manifest;
  return { model: name, version, items, timings: run.timings };
}

/** A normalized text and the cache key that stands for it. */
interface Question {
  readonly text: string;
  readonly key: string;
}

const EMPTY_TEXT: ItemResult = {
  ok: false,
  error: new SluiceError("invalid_argument", "The text is empty once blanks are removed.", {
    details: [{ field: "text", problem: "must hold at least one visible character" }],
  }),
};

/** The steps of one request and what they share. */
class ClassifyRun {
  readonly timings = { cacheMs: 0, tokenizeMs: 0, queueMs: 0, inferMs: 0 };
  readonly #request: InferenceRequest;
  readonly #serving: ServingVersion;
  readonly #pipeline: ClassifyPipeline;
  readonly #startedMs: number;
  readonly #activation: ActivationFunction;
  readonly #topK: number;
  readonly #keyPrefix: string;

  constructor(
    request: InferenceRequest,
    serving: ServingVersion,
    pipeline: ClassifyPipeline,
    startedMs: number,
  ) {
    const { name, version, problemType } = serving.manifest;
    this.#request = request;
    this.#serving = serving;
    this.#pipeline = pipeline;
    this.#startedMs = startedMs;
    this.#activation = request.options.functionToApply ?? defaultActivation(problemType);
    this.#topK = request.options.topK ?? defaultTopK(problemType);
    this.#keyPrefix = cacheKeyPrefix({
      model: name,
      version,
      digest: serving.digest,
      activation: this.#activation,
    });
  }

  toQuestion(rawText: string): Question {
    const text = normalizeText(rawText);
    return { text, key: this.#keyPrefix + text };
  }

  /** Encodes each distinct question once. */
  tokenize(questions: readonly Question[]): ReadonlyMap<string, EncodedText> {
    const { clock } = this.#pipeline;
    const startedMs = clock.nowMs();
    const encoded = new Map<string, EncodedText>();
    for (const { key, text } of questions) {
      if (!encoded.has(key)) encoded.set(key, this.#serving.tokenizer.encode(text));
    }
    this.timings.tokenizeMs = clock.nowMs() - startedMs;
    return encoded;
  }

  /** A request is let in whole or refused whole: half an answer under overload helps nobody. */
  assertRoomFor(encoded: ReadonlyMap<string, EncodedText>): void {
    if (encoded.size < 2) return;
    let tokens = 0;
    for (const { ids } of encoded.values()) tokens += ids.length;
    this.#serving.batcher.assertAdmits(encoded.size, tokens, this.#request.deadlineMs);
  }

  async compute(
    { key }: Question,
    encodedByKey: ReadonlyMap<string, EncodedText>,
  ): Promise<ItemResult> {
    const encoded = encodedByKey.get(key);
    if (encoded === undefined) throw new SluiceError("internal", "A text was not tokenized.");
    const { coalescer, cache } = this.#pipeline;
    try {
      const { answer, coalesced } = coalescer.join(key, this.#request, (ticket) =>
        this.#serving.batcher.submit({ encoded, ticket }),
      );
      const outcome = await answer;
      this.timings.queueMs = Math.max(this.timings.queueMs, outcome.queueMs);
      this.timings.inferMs = Math.max(this.timings.inferMs, outcome.runMs);
      const scores = applyActivation(outcome.logits, this.#activation);
      if (!coalesced && !encoded.truncated) cache.remember(key, scores);
      return this.label(scores, coalesced ? "coalesced" : "model", encoded.truncated);
    } catch (thrown) {
      return { ok: false, error: toSluiceError(thrown) };
    }
  }

  label(
    scores: Float32Array,
    source: "model" | "cache" | "coalesced",
    truncated: boolean,
  ): ItemResult {
    const labels = rankLabels(scores, this.#serving.manifest.labels, this.#topK);
    const durationMs = this.#pipeline.clock.nowMs() - this.#startedMs;
    return { ok: true, labels, source, truncated, durationMs };
  }

  report(item: ItemResult, observer: InferenceObserver): void {
    const { name, version } = this.#serving.manifest;
    if (!item.ok) {
      observer.itemFailed(name, version, item.error.code);
      return;
    }
    const { source, durationMs } = item;
    const label = item.labels[0]?.label ?? "";
    observer.predictionMade({ model: name, version, label, source, durationMs });
  }
}

/** When no text has an answer, the request as a whole failed, with the status that the first error deserves. */
function throwIfAllFailed(items: readonly ItemResult[]): void {
  const [first] = items;
  if (first === undefined || first.ok || items.some((item) => item.ok)) return;
  throw first.error;
}
