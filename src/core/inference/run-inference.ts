import { SluiceError, toSluiceError } from "../errors.ts";
import type { Graphs } from "../graphs/graph.ts";
import type { ModelRegistry } from "../models/registry.ts";
import type { ServingVersion } from "../models/serving-version.ts";
import type { Clock } from "../ports/clock.ts";
import type { AnswerSource } from "../ports/inference-observer.ts";
import type { TextEncoding } from "../ports/tokenizer.ts";
import type { ReleaseTraffic } from "../releases/release-traffic.ts";
import { countCharacters, normalizeText } from "../text/normalize.ts";
import { mergeWindows } from "../text/windows.ts";
import { createCacheKey } from "./cache-key.ts";
import type { Coalescer } from "./coalesce.ts";
import type { Ticket } from "./member.ts";
import type { OnlineActivity } from "./online-activity.ts";
import type { InferenceRequest, TextInput } from "./request.ts";
import type { InferenceResult, ItemResult } from "./result.ts";
import type { CachedRow, ResultCache } from "./result-cache.ts";
import { toPrediction, toPredictionName } from "./to-prediction.ts";

/** What a model's outputs for one text are and what it took to get them. */
export interface RowOutcome extends CachedRow {
  readonly queueMs: number;
  readonly runMs: number;
}

/** What the request path works with. Built once, at start. */
export interface InferencePipeline {
  readonly clock: Clock;
  readonly registry: ModelRegistry;
  /** Models that are made of others; see `answerTexts`. */
  readonly graphs: Graphs;
  readonly cache: ResultCache;
  readonly coalescer: Coalescer<RowOutcome>;
  readonly limits: TextLimits;
  /** New versions on their way to go live. */
  readonly releases: ReleaseTraffic;
  /** Shared by all who ask; told of every request of the online lane. */
  readonly activity: OnlineActivity;
}

/** Bounds on each text. */
export interface TextLimits {
  /** Unicode characters. */
  readonly maxTextCharacters: number;
}

/** Hears that the text at `index` has its answer, or its error. */
export type ItemListener = (index: number, item: ItemResult) => void;

/**
 * Answers the texts of one request.
 *
 * @param onItem hears each answer as soon as it is there, in whatever order that happens
 * @returns one item per input, in order; a text that fails carries its own error
 * @throws SluiceError when nothing could be answered: `not_found`, `unavailable`, `overloaded`, or the common error of
 * all texts
 */
export async function runInference(
  request: InferenceRequest,
  pipeline: InferencePipeline,
  onItem?: ItemListener,
): Promise<InferenceResult> {
  const waking = pipeline.registry.wake(request.model);
  if (waking !== undefined) await waking;
  const serving = pipeline.registry.resolve(request.model, request.version ?? request.routed);
  if (request.lane === "online") pipeline.activity.note(pipeline.clock.nowMs());
  const run = new InferenceRun(request, serving, pipeline);

  const questions = run.route(request.inputs);
  await run.lookUp(questions);
  run.tokenize(questions);
  run.assertRoomFor(questions);
  const answers = questions.map((question) => run.answer(question));
  if (onItem !== undefined) {
    for (const [index, answer] of answers.entries()) {
      void answer.then((item) => onItem(index, item));
    }
  }
  const items = await Promise.all(answers);

  throwIfAllFailed(items);
  const { name, version } = serving.manifest;
  return { model: name, version, items, timings: run.timings };
}

/** One text on its way through the request. */
interface Question {
  /** The version that answers it. */
  readonly serving: ServingVersion;
  /** Both normalized. */
  readonly text: string;
  readonly pair: string | undefined;
  /** The cache key that stands for it. */
  readonly key: string;
  /** Why it cannot be asked. */
  readonly problem: SluiceError | undefined;
  /** Set when the cache knew the outputs. */
  known: CachedRow | undefined;
  /** Set when the model has to run. */
  encoding: TextEncoding | undefined;
}

/** The steps of one request and what they share. */
class InferenceRun {
  readonly timings = { cacheMs: 0, tokenizeMs: 0, queueMs: 0, inferMs: 0 };
  readonly #request: InferenceRequest;
  readonly #serving: ServingVersion;
  readonly #pipeline: InferencePipeline;
  readonly #startedMs: number;

  constructor(request: InferenceRequest, serving: ServingVersion, pipeline: InferencePipeline) {
    this.#request = request;
    this.#serving = serving;
    this.#pipeline = pipeline;
    this.#startedMs = pipeline.clock.nowMs();
  }

  /** A caller who names no version gets, text by text, the one that was made for the text's language. */
  route(inputs: readonly TextInput[]): readonly Question[] {
    const { registry, limits } = this.#pipeline;
    return inputs.map((input) => {
      const tooLong = findTooLong(input, limits);
      // Nobody looks at a text that is refused for its length.
      const text = tooLong === undefined ? normalizeText(input.text) : "";
      const pair = input.pair === undefined || tooLong ? undefined : normalizeText(input.pair);
      const serving =
        this.#request.version === undefined
          ? registry.resolveLanguage(this.#serving, text)
          : this.#serving;
      const problem = tooLong ?? findProblem(serving, text, pair);
      const key = createCacheKey(serving.cacheKeyPrefix, text, pair);
      return { serving, text, pair, key, problem, known: undefined, encoding: undefined };
    });
  }

  async lookUp(questions: readonly Question[]): Promise<void> {
    if (this.#request.isCopy === true) return;
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
      if (question.known !== undefined || question.problem !== undefined) continue;
      const { serving, text, pair } = question;
      question.encoding = serving.tokenizer.encode(text, pair);
    }
    this.timings.tokenizeMs = clock.nowMs() - startedMs;
  }

  /** A request is let in whole or refused whole: half an answer under overload helps nobody. */
  assertRoomFor(questions: readonly Question[]): void {
    const { coalescer } = this.#pipeline;
    const needs = new Map<ServingVersion, { items: number; tokens: number }>();
    for (const question of questions) {
      const { serving, encoding } = question;
      if (encoding === undefined || coalescer.has(this.#flightOf(question))) continue;
      const need = needs.get(serving) ?? { items: 0, tokens: 0 };
      needs.set(serving, need);
      need.items += encoding.windows.length;
      for (const { ids } of encoding.windows) need.tokens += ids.length;
    }
    const { deadlineMs, flow, lane } = this.#request;
    for (const [{ batcher }, need] of needs) {
      batcher.assertAdmits({ ...need, deadlineMs, flow, lane });
    }
  }

  async answer(question: Question): Promise<ItemResult> {
    const { serving, known } = question;
    try {
      if (question.problem !== undefined) throw question.problem;
      if (known !== undefined) return this.#report(serving, known, "cache");
      const { outcome, source } = await this.#ask(question);
      this.timings.queueMs = Math.max(this.timings.queueMs, outcome.queueMs);
      this.timings.inferMs = Math.max(this.timings.inferMs, outcome.runMs);
      return this.#report(serving, outcome, source);
    } catch (thrown) {
      const error = toSluiceError(thrown);
      if (this.#request.isCopy !== true) serving.observer.itemFailed(error.code);
      return { ok: false, error };
    }
  }

  /** Runs the model, or waits for a run of the same text that is on its way. */
  async #ask(question: Question): Promise<{ outcome: RowOutcome; source: AnswerSource }> {
    const { coalescer, cache } = this.#pipeline;
    const flight = this.#flightOf(question);
    const { answer, coalesced } = coalescer.join(flight, this.#request, (ticket) =>
      this.#runWindows(question, ticket),
    );
    const outcome = await answer;
    if (coalesced) return { outcome, source: "coalesced" };
    // A job of a million texts that come once would drive out everything that is asked for again and again.
    const { lane, isCopy = false } = this.#request;
    if (lane === "online" && !isCopy) cache.remember(question.key, outcome);
    return { outcome, source: "model" };
  }

  /** Whoever waits for an answer must not wait behind bulk work, so the lanes do not share runs. */
  #flightOf({ key }: Question): string {
    const { lane, isCopy = false } = this.#request;
    if (isCopy) return `copy\n${key}`;
    return lane === "online" ? key : `${lane}\n${key}`;
  }

  async #runWindows({ serving, encoding }: Question, ticket: Ticket): Promise<RowOutcome> {
    const { flow, lane, isCopy = false } = this.#request;
    const windows = encoding?.windows ?? [];
    const truncated = encoding?.truncated ?? false;
    const outcomes = await Promise.all(
      windows.map((encoded) => serving.batcher.submit({ encoded, ticket, flow, lane, isCopy })),
    );
    let queueMs = 0;
    let runMs = 0;
    const rows = outcomes.map((outcome, i) => {
      queueMs = Math.max(queueMs, outcome.queueMs);
      runMs = Math.max(runMs, outcome.runMs);
      return { row: outcome.row, tokens: windows[i]?.ids.length ?? 0 };
    });
    const row = mergeWindows(rows, serving.manifest.output.normalize);
    // A model that runs elsewhere got the text whole, and tells what was made of it.
    const reading = outcomes[0]?.reading ?? { windows: rows.length, truncated };
    return { row, ...reading, queueMs, runMs };
  }

  #report(
    { manifest, observer }: ServingVersion,
    { row, windows, truncated }: CachedRow,
    source: AnswerSource,
  ): ItemResult {
    const prediction = toPrediction(row, manifest, this.#request.options);
    const durationMs = this.#pipeline.clock.nowMs() - this.#startedMs;
    if (this.#request.isCopy !== true) {
      observer.predictionMade(toPredictionName(prediction), source, durationMs);
    }
    const { version } = manifest;
    return { ok: true, version, prediction, source, windows, truncated, durationMs };
  }
}

/** The length counts as it was sent, so that callers can tell beforehand. */
function findTooLong({ text, pair }: TextInput, limits: TextLimits): SluiceError | undefined {
  const max = limits.maxTextCharacters;
  for (const [field, value] of [
    ["text", text],
    ["pair", pair],
  ] as const) {
    // UTF-16 length is an upper bound of the character count, so most texts need no counting.
    if (value === undefined || value.length <= max) continue;
    const characters = countCharacters(value);
    if (characters <= max) continue;
    const problem = `must hold at most ${max} characters; found ${characters}`;
    return new SluiceError("invalid_argument", `${field} ${problem}.`, {
      details: [{ field, problem }],
    });
  }
  return undefined;
}

/** What keeps a model from reading this text or pair at all. */
function findProblem(
  { manifest, readsPairs }: ServingVersion,
  text: string,
  pair: string | undefined,
): SluiceError | undefined {
  if (text === "") return emptyText("text");
  if (pair === "") return emptyText("pair");
  if (pair !== undefined && !readsPairs) {
    return pairProblem(`${manifest.name} ${manifest.version} reads single texts; leave it out`);
  }
  if (pair === undefined && manifest.task === "scoring") {
    return pairProblem("is missing: this model scores pairs, such as a question and a passage");
  }
  return undefined;
}

function emptyText(field: string): SluiceError {
  return new SluiceError("invalid_argument", "The text is empty once blanks are removed.", {
    details: [{ field, problem: "must hold at least one visible character" }],
  });
}

function pairProblem(problem: string): SluiceError {
  return new SluiceError("invalid_argument", `pair: ${problem}.`, {
    details: [{ field: "pair", problem }],
  });
}

/**
 * When no text has an answer, the request as a whole failed, with the status that the first error deserves.
 *
 * @throws SluiceError that of the first text
 */
export function throwIfAllFailed(items: readonly ItemResult[]): void {
  const [first] = items;
  if (first === undefined || first.ok || items.some((item) => item.ok)) return;
  throw first.error;
}
