import type { ClassificationMetrics } from "../evaluate/classification-metrics.ts";
import { computeClassificationMetrics } from "../evaluate/classification-metrics.ts";
import { compareAnswers, toScores } from "./compare-answers.ts";
import type { GateMeasurement } from "./decide-publication.ts";
import type { AnswerForm } from "./model-answers.ts";
import { runTexts } from "./model-answers.ts";
import type { ModelSession } from "./model-session.ts";

/** Texts that a quantized model must answer well; none of them was used to make it. */
export interface GateSet {
  readonly name: string;
  readonly texts: readonly Int32Array[];
  /** Index of each text's true label; undefined when nobody knows. */
  readonly labels: readonly number[] | undefined;
}

/** A gate set with the float model's answers. */
export interface PreparedGateSet extends GateSet {
  readonly reference: readonly Float32Array[];
}

/** Asks the float model, once for all candidates. */
export async function prepareGateSets(
  floatSession: ModelSession,
  form: AnswerForm,
  sets: readonly GateSet[],
): Promise<PreparedGateSet[]> {
  const prepared: PreparedGateSet[] = [];
  for (const set of sets) {
    prepared.push({ ...set, reference: await runTexts(floatSession, form, set.texts) });
  }
  return prepared;
}

/**
 * Measures a quantized model on every set.
 *
 * @param isAlone runs texts one by one, for models whose answers depend on the batch.
 */
export async function measureGateSets(
  session: ModelSession,
  form: AnswerForm,
  sets: readonly PreparedGateSet[],
  isAlone: boolean,
): Promise<GateMeasurement[]> {
  const measured: GateMeasurement[] = [];
  for (const { name, texts, labels, reference } of sets) {
    const answers = await runTexts(session, form, texts, isAlone);
    const comparison = compareAnswers(reference, answers, form.kind);
    const common = { name, texts: texts.length, ...comparison };
    if (labels === undefined || form.kind !== "single-label") {
      measured.push(common);
      continue;
    }
    const float = computeMetrics(reference, labels, form);
    const quantized = computeMetrics(answers, labels, form);
    measured.push({
      ...common,
      accuracy: { float: float.accuracy, quantized: quantized.accuracy },
      balancedAccuracy: {
        float: float.balancedAccuracy,
        quantized: quantized.balancedAccuracy,
      },
    });
  }
  return measured;
}

function computeMetrics(
  answers: readonly Float32Array[],
  labels: readonly number[],
  { kind, width }: AnswerForm,
): ClassificationMetrics {
  const scored = answers.map((answer, i) => ({
    label: labels[i] ?? 0,
    probabilities: toScores(answer, kind),
  }));
  return computeClassificationMetrics(scored, width);
}
