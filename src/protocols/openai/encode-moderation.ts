import type { InferenceResult } from "../../core/inference/result.ts";
import type { RankedLabel } from "../../core/text/labels.ts";
import { formatScore } from "../decimal.ts";
import { requireAnswers, requireLabels } from "../require-answers.ts";
import type { LabelFlags } from "./label-flags.ts";

/** The categories that typed clients expect in every answer (`Moderation.Categories` of the `openai` package 6.49). */
const FIXED_CATEGORIES = [
  "harassment",
  "harassment/threatening",
  "hate",
  "hate/threatening",
  "illicit",
  "illicit/violent",
  "self-harm",
  "self-harm/instructions",
  "self-harm/intent",
  "sexual",
  "sexual/minors",
  "violence",
  "violence/graphic",
] as const;

export interface ModerationContext {
  readonly requestId: string;
  readonly flags: LabelFlags;
}

/**
 * Body of the answer of `POST /v1/moderations`: one entry of `results` per input. The model's labels are its categories;
 * of the fixed categories, those that are no label of the model are false and 0, and apply to no kind of input.
 *
 * @throws SluiceError of the first text that failed, naming it
 */
export function encodeModeration(result: InferenceResult, context: ModerationContext): string {
  const results = requireAnswers(result, "input").map((item, index) =>
    encodeLabels(requireLabels(item, `input[${index}]`, 0), context.flags),
  );
  const id = `modr-${context.requestId}`;
  return `{"id":"${id}","model":"${result.model}","results":[${results.join()}]}`;
}

function encodeLabels(labels: readonly RankedLabel[], flags: LabelFlags): string {
  const known = new Set(labels.map(({ label }) => label));
  const absent = FIXED_CATEGORIES.filter((category) => !known.has(category));
  const marked = labels.map(({ label, score }) => {
    const threshold = flags(label);
    const isFlagged = threshold !== undefined && score >= threshold;
    return { name: JSON.stringify(label), score, isFlagged };
  });
  const categories = [
    ...marked.map(({ name, isFlagged }) => `${name}:${isFlagged}`),
    ...absent.map((name) => `"${name}":false`),
  ];
  const scores = [
    ...marked.map(({ name, score }) => `${name}:${formatScore(score)}`),
    ...absent.map((name) => `"${name}":0`),
  ];
  const inputTypes = [
    ...marked.map(({ name }) => `${name}:["text"]`),
    ...absent.map((name) => `"${name}":[]`),
  ];
  const flagged = marked.some(({ isFlagged }) => isFlagged);
  return `{"flagged":${flagged},"categories":{${categories.join()}},"category_scores":{${scores.join()}},"category_applied_input_types":{${inputTypes.join()}}}`;
}
