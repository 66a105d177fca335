import { SluiceError } from "../errors.ts";
import type { Graphs } from "../graphs/graph.ts";
import type { ModelRegistry } from "../models/registry.ts";
import type { EvidenceStore, Feedback, FeedbackCount } from "../ports/evidence-store.ts";
import { maskText } from "../privacy/mask-text.ts";
import type { AnswerMemory } from "./answer-memory.ts";

/** What a caller says about an answer. */
export interface GivenFeedback {
  readonly requestId: string;
  /** Position of the text in the request, from 0. */
  readonly item: number;
  /** What is right. */
  readonly label: string;
  /** The text, where it is to go into a set of labelled texts; it is masked before it is kept. */
  readonly text: string | undefined;
  readonly pair: string | undefined;
  /** Id of the caller. */
  readonly by: string;
}

/** What people say about answers. Every method throws SluiceError `unavailable` while the store cannot be reached. */
export interface FeedbackService {
  /**
   * Keeps what somebody says about an answer, in the place of what was said about it before.
   *
   * @throws SluiceError `not_found` for an answer that nobody remembers, `invalid_argument` for one without a label and for a
   * label that the model does not know
   */
  give(given: GivenFeedback): Promise<Feedback>;
  /** How often each version of a model was right. @param sinceMs feedback given at or after it */
  count(model: string, sinceMs: number): Promise<readonly FeedbackCount[]>;
}

export interface FeedbackServiceOptions {
  readonly store: () => Promise<EvidenceStore>;
  readonly memory: AnswerMemory;
  /** Resolves when texts that are to be kept are, so that feedback that comes at once finds its text. */
  readonly flushTexts: () => Promise<void>;
  readonly registry: ModelRegistry;
  readonly graphs: Graphs;
  readonly epochMs: () => number;
  /** How long feedback is kept. */
  readonly keepMs: number;
  /** Hears of feedback that was kept. */
  readonly given: (feedback: Feedback) => void;
}

const SWEEP_MS = 3_600_000;

/** An answer that somebody says something about. */
interface KnownAnswer {
  readonly model: string;
  readonly version: string;
  readonly label: string | null;
  readonly answeredAtMs: number;
  /** Masked. */
  readonly text: string | null;
  readonly pair: string | null;
}

/** Feedback about answers that this process remembers, or whose texts were kept. */
export function createFeedbackService(options: FeedbackServiceOptions): FeedbackService {
  const { store: open, registry, graphs, epochMs, keepMs } = options;
  let sweptAtMs = Number.NEGATIVE_INFINITY;
  return {
    give: async (given) => {
      const store = await open();
      await options.flushTexts();
      const answer = await findAnswer(given, store, options);
      assertLabel(given.label, answer, registry);
      const { text = null, pair = null } = given;
      const feedback: Feedback = {
        ...{ requestId: given.requestId, item: given.item, by: given.by, label: given.label },
        ...{ model: answer.model, version: answer.version, predicted: answer.label },
        text: text === null ? answer.text : maskText(text),
        pair: text === null ? answer.pair : pair === null ? null : maskText(pair),
        ...{ answeredAtMs: answer.answeredAtMs, givenAtMs: epochMs() },
      };
      await store.giveFeedback(feedback);
      options.given(feedback);
      if (epochMs() - sweptAtMs > SWEEP_MS) {
        sweptAtMs = epochMs();
        await store.forgetFeedback(epochMs() - keepMs);
      }
      return feedback;
    },
    count: async (model, sinceMs) => {
      if (!graphs.has(model)) registry.assertKnown(model);
      return await (await open()).countFeedback({ model, sinceMs });
    },
  };
}

async function findAnswer(
  { requestId, item }: GivenFeedback,
  store: EvidenceStore,
  { memory }: FeedbackServiceOptions,
): Promise<KnownAnswer> {
  const kept = await store.findText(requestId, item);
  if (kept !== undefined) return kept;
  const request = memory.find(requestId);
  if (request === undefined) {
    throw new SluiceError(
      "not_found",
      `Nobody here remembers an answer of request "${requestId}".`,
      {
        details: [
          {
            field: "request_id",
            problem:
              "must be the request_id of a recent answer of this process; feedback.rememberedRequests says how many are remembered, and feedback.sampleRate keeps texts for all processes",
          },
        ],
      },
    );
  }
  const answer = request.answers[item];
  if (answer === undefined) {
    const count = request.answers.length;
    const problem =
      item < count
        ? "is a text without a label: it failed, or its answer is a vector"
        : `must be the position of a text, 0 to ${count - 1}`;
    throw refuse("item", problem);
  }
  const { model, answeredAtMs } = request;
  return { model, answeredAtMs, ...answer, text: null, pair: null };
}

/** A label that is misspelt would count as a mistake of the model. */
function assertLabel(
  label: string,
  { model, version }: KnownAnswer,
  registry: ModelRegistry,
): void {
  const entry = registry.list().find((one) => one.model === model && one.version === version);
  const labels = entry?.serving?.manifest.labels ?? [];
  if (labels.length === 0 || labels.includes(label)) return;
  const known = labels.length > 50 ? `${labels.slice(0, 50).join(", ")} …` : labels.join(", ");
  throw refuse("label", `must be a label of ${model} ${version}: ${known}`);
}

function refuse(field: string, problem: string): SluiceError {
  const details = [{ field, problem }];
  return new SluiceError("invalid_argument", `${field} ${problem}.`, { details });
}
