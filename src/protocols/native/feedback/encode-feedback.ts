import type {
  Feedback,
  FeedbackCount,
  GateSet,
  LabelledText,
} from "../../../core/ports/evidence-store.ts";
import { toRateInterval } from "../../../core/releases/statistics/sequential-evidence.ts";

/** How sure the interval of an accuracy is. */
const ALPHA = 0.05;

/** Writes what was kept of feedback. Texts are not given back. */
export function encodeFeedback(feedback: Feedback): string {
  const { requestId, item, model, version, predicted, label, text, givenAtMs } = feedback;
  return JSON.stringify({
    ...{ request_id: requestId, item, model, model_version: version, predicted, label },
    right: predicted === label,
    has_text: text !== null,
    given_at: new Date(givenAtMs).toISOString(),
  });
}

/** Writes how often versions were right; `lower` and `upper` hold the true share with 95 %, however often is looked. */
export function encodeAccuracy(model: string, counts: readonly FeedbackCount[]): string {
  const versions = counts.map(({ version, right, wrong }) => {
    const trials = right + wrong;
    const { lower, upper } = toRateInterval({ successes: right, trials }, ALPHA);
    return { model_version: version, right, wrong, accuracy: right / trials, lower, upper };
  });
  return JSON.stringify({ model, versions });
}

/** Writes a set without its texts. */
export function encodeGateSet(set: GateSet): string {
  return JSON.stringify(toWire(set));
}

/** Writes all sets without their texts. */
export function encodeGateSets(sets: readonly GateSet[]): string {
  return JSON.stringify({ gate_sets: sets.map(toWire) });
}

/** Writes a set with its texts, as one that can be sent. */
export function encodeGateTexts(texts: readonly LabelledText[]): string {
  return JSON.stringify({ items: texts.map(toWireText) });
}

/** Writes its texts as NDJSON, as training, evaluation and jobs read it. */
export function encodeGateLines(texts: readonly LabelledText[]): string {
  return texts.map((text) => `${JSON.stringify(toWireText(text))}\n`).join("");
}

function toWire({ name, size, updatedAtMs }: GateSet) {
  return { name, size, updated_at: new Date(updatedAtMs).toISOString() };
}

function toWireText({ text, pair, label }: LabelledText) {
  return { text, ...(pair !== null && { text_pair: pair }), label };
}
