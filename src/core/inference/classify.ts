import { SluiceError, toSluiceError } from "../errors.ts";
import type { ModelRegistry } from "../models/registry.ts";
import type { ServingVersion } from "../models/serving-version.ts";
import type { Clock } from "../ports/clock.ts";
import type { AnswerSource } from "../ports/inference-observer.ts";
import type { EncodedText } from "../ports/tokenizer.ts";
import type { ActivationFunction } from "../text/labels.ts";
import { applyActivation, defaultActivation, defaultTopK, rankLabels } from "../text/labels.ts";
import { normalizeText } from "../text/normalize.ts";
import type { BatchOutcome } from "./batcher.ts";
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
  const serving = pipeline.registry.resolve(request.model, request.version);
  const run = new ClassifyRun(request, serving, pipeline);

  const questions = run.normalize(request.texts);
  await run.lookUp(questions);
  run.tokenize(questions);
  run.assertRoomFor(questions);
  const items = await Promise.all(questions.map((question) => run.answer(question)));

  for (const item of items) run.report(item);
  throwIfAllFailed(items);
  const { name, version } = serving.manifest;
  return { model: name, version, items, timings: run.timings };
}

/** One text on its way through the request. */
interface Question {
  /** Normalized; empty when nothing visible was sent. */
  readonly text: string;
  /** The cache key that stands for it. */
  readonly key: string;
  /** Set when the cache knew the scores. */
  known: Float32Array | undefined;
  /** Set when the model has to run. */
  encoded: EncodedText | undefined;
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

  constructor(request: InferenceRequest, serving: ServingVersion, pipeline: ClassifyPipeline) {
    const { problemType } = serving.manifest;
    this.#request = request;
    this.#serving = serving;
    this.#pipeline = pipeline;
    this.#startedMs = pipeline.clock.nowMs();
    this.#activation = request.options.functionToApply ?? defaultActivation(problemType);
    this.#topK = request.options.topK ?? defaultTopK(problemType);
  }

  normalize(texts: readonly string[]): readonly Question[] {
    const prefix = this.#serving.cacheKeyPrefixes[this.#activation];
    return texts.map((raw) => {
      const text = normalizeText(raw);
      return { text, key: prefix + text, known: undefined, encoded: undefined };
    });
  }

  async lookUp(questions: readonly Question[]): Promise<void> {
    const startedMs = this.#pipeline.clock.nowMs();
    const known = await this.#pipeline.cache.lookUp(questions.map((question) => question.key));
    for (let i = 0; i < questions.length; i++) {
      const question = questions[i];
      if (question !== undefined) question.known = known[i];
    }
    this.timings.cacheMs = this.#pipeline.clock.nowMs() - startedMs;
  }

  tokenize(questions: readonly Question[]): void {
    const { clock } = this.#pipeline;
    const startedMs = clock.nowMs();
    for (const question of questions) {
      if (question.known !== undefined || question.text === "") continue;
      question.encoded = this.#serving.tokenizer.encode(question.text);
    }
    this.timings.tokenizeMs = clock.nowMs() - startedMs;
  }

  /** A request is let in whole or refused whole: half an answer under overload helps nobody. */
  assertRoomFor(questions: readonly Question[]): void {
    if (questions.length === 1) return;
    let items = 0;
    let tokens = 0;
    for (const { encoded } of questions) {
      if (encoded === undefined) continue;
      items++;
      tokens += encoded.ids.length;
    }
    if (items > 0) this.#serving.batcher.assertAdmits(items, tokens, this.#request.deadlineMs);
  }

  async answer({ text, key, known, encoded }: Question): Promise<ItemResult> {
    if (known !== undefined) return this.#label(known, "cache", false);
    if (text === "" || encoded === undefined) return EMPTY_TEXT;
    const { coalescer, cache } = this.#pipeline;
    const { timings } = this;
    try {
      const { answer, coalesced } = coalescer.join(key, this.#request, (ticket) =>
        this.#serving.batcher.submit({ encoded, ticket }),
      );
      const outcome = await answer;
      timings.queueMs = Math.max(timings.queueMs, outcome.queueMs);
      timings.inferMs = Math.max(timings.inferMs, outcome.runMs);
      const scores = applyActivation(outcome.logits, this.#activation);
      if (!coalesced && !encoded.truncated) cache.remember(key, scores);
      return this.#label(scores, coalesced ? "coalesced" : "model", encoded.truncated);
    } catch (thrown) {
      return { ok: false, error: toSluiceError(thrown) };
    }
  }

  report(item: ItemResult): void {
    const { observer } = this.#serving;
    if (item.ok) {
      observer.predictionMade(item.labels[0]?.label ?? "", item.source, item.durationMs);
    } else {
      observer.itemFailed(item.error.code);
    }
  }

  #label(scores: Float32Array, source: AnswerSource, truncated: boolean): ItemResult {
    const labels = rankLabels(scores, this.#serving.manifest.labels, this.#topK);
    const durationMs = this.#pipeline.clock.nowMs() - this.#startedMs;
    return { ok: true, labels, source, truncated, durationMs };
  }
}

/** When no text has an answer, the request as a whole failed, with the status that the first error deserves. */
function throwIfAllFailed(items: readonly ItemResult[]): void {
  const [first] = items;
  if (first === undefined || first.ok || items.some((item) => item.ok)) return;
  throw first.error;
}
