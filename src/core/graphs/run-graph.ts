import { SluiceError, toSluiceError } from "../errors.ts";
import type { InferenceRequest } from "../inference/request.ts";
import type {
  AnsweringModel,
  InferenceResult,
  ItemResult,
  StageTimings,
  StepTiming,
} from "../inference/result.ts";
import type { InferencePipeline, ItemListener } from "../inference/run-inference.ts";
import { throwIfAllFailed } from "../inference/run-inference.ts";
import { toPrediction } from "../inference/to-prediction.ts";
import type { TextManifest } from "../models/manifest.ts";
import type { AnswerSource } from "../ports/inference-observer.ts";
import { answerModel } from "../releases/answer-model.ts";
import { applyActivation } from "../text/labels.ts";
import { normalizeText } from "../text/normalize.ts";
import { detectWrittenLanguage } from "../text/written-language.ts";
import type { Opinion } from "./blend-scores.ts";
import { blendScores, toLogits } from "./blend-scores.ts";
import { isMet } from "./condition.ts";
import { findUnwanted } from "./find-unwanted.ts";
import type { Condition, Ensemble, Graph, Sequence, Switch, Target } from "./graph.ts";
import { leadOf } from "./graph.ts";
import { assertNoVersion } from "./resolve-named.ts";
import { addTimings, longestTimings, NO_TIME } from "./step-timings.ts";

/**
 * Answers the texts of one request with a graph. Every text takes its own way; texts that take the same step are asked together, so
 * that they share batches and the cache.
 *
 * @param onItem hears each answer as soon as it is final; texts that fail are told at the end
 * @returns as `runInference`; `version` is that of the model that stands for the graph, see `leadOf`
 * @throws SluiceError `invalid_argument` when the request names a version; otherwise as `runInference`
 */
export async function runGraph(
  graph: Graph,
  request: InferenceRequest,
  pipeline: InferencePipeline,
  onItem?: ItemListener,
): Promise<InferenceResult> {
  assertNoVersion(graph.name, request.version);
  const run = new GraphRun(request, pipeline);
  const settled = (at: number, answer: StepAnswer) => {
    if (answer.ok) onItem?.(at, run.report(answer));
  };
  const everyText = request.inputs.map((_, at) => at);
  const { answers, timings } = await run.ask({ model: graph.name }, everyText, settled);
  const items = answers.map((answer) => run.report(answer));
  // Who was turned away as a whole may try again, which only works for texts that nobody has heard of.
  if (!isTurnedAway(items)) {
    for (const [at, item] of items.entries()) if (!item.ok) onItem?.(at, item);
  }
  throwIfAllFailed(items);
  const version = run.versionOf(graph, items);
  return { model: graph.name, version, items, timings, steps: run.steps };
}

function isTurnedAway(items: readonly ItemResult[]): boolean {
  return items.every((item) => !item.ok && item.error.code === "overloaded");
}

type Answered = ItemResult & { readonly ok: true };
type Failed = ItemResult & { readonly ok: false };

/** What a step says about one text. */
type StepAnswer =
  | Failed
  | (Answered & {
      readonly by: readonly AnsweringModel[];
      /** By the model's own function, whatever the request asks for; `undefined` for models without labels. */
      readonly opinion: Opinion | undefined;
      /** Of the model that answered, or of the first of an ensemble; `undefined` when it was unloaded meanwhile. */
      readonly manifest: TextManifest | undefined;
    });

/** Answers in the order of the texts that were asked. */
interface StepResult {
  readonly answers: readonly StepAnswer[];
  readonly timings: StageTimings;
}

/** Hears that the text at this place of the request goes no further. */
type Settled = (at: number, answer: StepAnswer) => void;

/** One request on its way through a graph. `at` are places of texts in the request. */
class GraphRun {
  readonly steps: StepTiming[] = [];
  readonly #request: InferenceRequest;
  readonly #pipeline: InferencePipeline;
  readonly #startedMs: number;
  readonly #languages = new Map<number, ReturnType<typeof detectWrittenLanguage>>();

  constructor(request: InferenceRequest, pipeline: InferencePipeline) {
    this.#request = request;
    this.#pipeline = pipeline;
    this.#startedMs = pipeline.clock.nowMs();
  }

  /** Never rejects: whatever happens is the answer of the texts that it happened to. */
  async ask(target: Target, at: readonly number[], settled: Settled = ignore): Promise<StepResult> {
    if (at.length === 0) return { answers: [], timings: NO_TIME };
    const graph = this.#pipeline.graphs.get(target.model);
    switch (graph?.kind) {
      case undefined:
        return await this.#askModel(target, at, settled);
      case "sequence":
        return await this.#askSequence(graph, at, settled);
      case "switch":
        return await this.#askSwitch(graph, at, settled);
      case "ensemble":
        return await this.#askEnsemble(graph, at, settled);
    }
  }

  /** What callers get: the time is that of the whole way. */
  report(answer: StepAnswer): ItemResult {
    if (!answer.ok) return answer;
    const { by, opinion: _opinion, manifest: _manifest, ...item } = answer;
    return { ...item, answeredBy: by };
  }

  versionOf(graph: Graph, items: readonly ItemResult[]): string {
    const lead = this.#manifestOf(leadOf(graph, this.#pipeline.graphs));
    return lead?.version ?? items.find((item) => item.ok)?.version ?? "";
  }

  /** `undefined` when it is gone, or was never there, and the texts were answered by others. */
  #manifestOf({ model, version }: Target): TextManifest | undefined {
    try {
      return this.#pipeline.registry.resolve(model, version).manifest;
    } catch {
      return undefined;
    }
  }

  async #askModel(target: Target, at: readonly number[], settled: Settled): Promise<StepResult> {
    const { clock } = this.#pipeline;
    // The first step answers as the model alone would; no later one is begun, or its model loaded, for nobody.
    const unwanted = this.steps.length > 0 && findUnwanted(this.#request, clock.nowMs());
    if (unwanted)
      return { answers: at.map(() => ({ ok: false, error: unwanted })), timings: NO_TIME };
    const { model, version } = target;
    const inputs = at.flatMap((place) => this.#request.inputs[place] ?? []);
    const request = { ...this.#request, model, version, inputs };
    const answers: StepAnswer[] = new Array(at.length);
    const note = (index: number, item: ItemResult) => {
      const answer = this.#toAnswer(model, item);
      answers[index] = answer;
      settled(at[index] ?? 0, answer);
    };
    const startedMs = clock.nowMs();
    let timings = NO_TIME;
    try {
      ({ timings } = await answerModel(request, this.#pipeline, note));
    } catch (thrown) {
      const error = toSluiceError(thrown);
      for (let index = 0; index < at.length; index++) {
        // Texts that were heard of keep their own reason.
        if (answers[index] === undefined) note(index, { ok: false, error });
      }
    }
    const name = version === undefined ? model : `${model} ${version}`;
    this.steps.push({ name, texts: at.length, durationMs: clock.nowMs() - startedMs });
    return { answers, timings };
  }

  async #askSequence(
    { steps }: Sequence,
    at: readonly number[],
    settled: Settled,
  ): Promise<StepResult> {
    const answers = new Map<number, StepAnswer>();
    const open = new Set(at);
    let timings = NO_TIME;
    for (const [index, step] of steps.entries()) {
      const later = steps.slice(index + 1);
      const going = at.filter(
        (place) => open.has(place) && this.#goesTo(step.when, place, answers.get(place)),
      );
      const result = await this.ask(step, going);
      timings = addTimings(timings, result.timings);
      for (const [i, answer] of result.answers.entries()) answers.set(going[i] ?? 0, answer);
      for (const place of open) {
        const answer = answers.get(place);
        if (answer === undefined) continue;
        if (answer.ok && later.some(({ when }) => this.#goesTo(when, place, answer))) continue;
        open.delete(place);
        settled(place, answer);
      }
    }
    return { answers: at.flatMap((place) => answers.get(place) ?? []), timings };
  }

  async #askSwitch(node: Switch, at: readonly number[], settled: Settled): Promise<StepResult> {
    const { on, cases, otherwise } = node;
    const decided = on === undefined ? undefined : await this.ask(on, at);
    const answers = new Map<number, StepAnswer>();
    const groups = new Map<Target, number[]>();
    for (const [index, place] of at.entries()) {
      const answer = decided?.answers[index];
      if (answer?.ok === false) {
        answers.set(place, answer);
        settled(place, answer);
        continue;
      }
      const chosen = cases.find(({ when }) => this.#goesTo(when, place, answer)) ?? otherwise;
      const group = groups.get(chosen) ?? [];
      groups.set(chosen, group);
      group.push(place);
    }
    const results = await Promise.all(
      [...groups].map(async ([target, group]) => {
        const result = await this.ask(target, group, settled);
        for (const [i, answer] of result.answers.entries()) answers.set(group[i] ?? 0, answer);
        return result.timings;
      }),
    );
    const timings = addTimings(decided?.timings ?? NO_TIME, longestTimings(results));
    return { answers: at.flatMap((place) => answers.get(place) ?? []), timings };
  }

  async #askEnsemble(node: Ensemble, at: readonly number[], settled: Settled): Promise<StepResult> {
    const results = await Promise.all(node.members.map((member) => this.ask(member, at)));
    const answers = at.map((place, index) => {
      const members = results.flatMap(({ answers: own }) => own[index] ?? []);
      const answer = this.#blend(node, members);
      settled(place, answer);
      return answer;
    });
    return { answers, timings: longestTimings(results.map(({ timings }) => timings)) };
  }

  /** One answer of the members' answers about one text; the first error where one of them has none. */
  #blend(node: Ensemble, answers: readonly StepAnswer[]): StepAnswer {
    const failed = answers.find((answer) => !answer.ok);
    if (failed !== undefined) return failed;
    const given = answers.filter((answer) => answer.ok);
    const [first] = given;
    const opinions = given.flatMap(({ opinion }, index) =>
      opinion === undefined ? [] : [{ ...opinion, weight: node.members[index]?.weight ?? 1 }],
    );
    const opinion =
      opinions.length < given.length ? undefined : blendScores(opinions, node.combine);
    if (first?.manifest === undefined || opinion === undefined)
      return { ok: false, error: cannotBlend(node) };
    const manifest = toBlendedManifest(first.manifest, opinion.labels);
    const isMultiLabel = manifest.problemType === "multi_label_classification";
    const row = toLogits(opinion.scores, isMultiLabel);
    return {
      ...first,
      prediction: toPrediction(row, manifest, this.#request.options),
      source: joinSources(given.map(({ source }) => source)),
      windows: Math.max(...given.map(({ windows }) => windows)),
      truncated: given.some(({ truncated }) => truncated),
      durationMs: this.#elapsedMs(),
      by: given.flatMap(({ by }) => by),
      opinion,
      manifest,
    };
  }

  #toAnswer(model: string, item: ItemResult): StepAnswer {
    if (!item.ok) return item;
    const { version } = item;
    const manifest = this.#manifestOf({ model, version });
    const opinion = manifest === undefined ? undefined : toOpinion(item, manifest);
    const by = [{ model, version }];
    return { ...item, durationMs: this.#elapsedMs(), by, opinion, manifest };
  }

  #goesTo(when: Condition | undefined, at: number, answer: StepAnswer | undefined): boolean {
    if (answer?.ok === false) return false;
    if (when === undefined) return true;
    return isMet(when, { language: () => this.#languageOf(at), opinion: answer?.opinion });
  }

  #languageOf(at: number) {
    if (!this.#languages.has(at)) {
      const text = this.#request.inputs[at]?.text ?? "";
      this.#languages.set(at, detectWrittenLanguage(normalizeText(text)));
    }
    return this.#languages.get(at);
  }

  #elapsedMs(): number {
    return this.#pipeline.clock.nowMs() - this.#startedMs;
  }
}

function ignore(): void {}

/** Scores by the model's own function: conditions must not depend on what a caller wants to see. */
function toOpinion({ prediction }: Answered, manifest: TextManifest): Opinion | undefined {
  if (prediction.kind === "vector") return undefined;
  const { labels, logits } = prediction.all;
  return { labels, scores: applyActivation(logits, manifest.defaultFunction) };
}

/** What is said about an ensemble's outputs: its scores are shares, and nothing is held back. */
function toBlendedManifest(first: TextManifest, labels: readonly string[]): TextManifest {
  const isMultiLabel = first.problemType === "multi_label_classification";
  return {
    ...first,
    labels,
    defaultFunction: isMultiLabel ? "sigmoid" : "softmax",
    abstainBelow: undefined,
  };
}

/** From the cache only when all of it is. */
function joinSources(sources: readonly AnswerSource[]): AnswerSource {
  if (sources.includes("model")) return "model";
  return sources.includes("coalesced") ? "coalesced" : "cache";
}

function cannotBlend({ name }: Ensemble): SluiceError {
  const message = `The members of the graph "${name}" no longer give scores for the same labels.`;
  return new SluiceError("unavailable", message);
}
