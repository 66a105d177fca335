import { SluiceError } from "../../core/errors.ts";
import type { ModelSession, ModelValue } from "./model-session.ts";

/**
 * What a model's output means: one true label per text, any number of labels, or a description of the text by numbers
 * (no head; the mean over its ids is compared). A lone score, as rerankers give it, is a label that may be true or not.
 */
export type AnswerKind = "single-label" | "multi-label" | "features";

/** Which output is the answer, and what it means. */
export interface AnswerForm {
  readonly output: string;
  readonly kind: AnswerKind;
  /** Numbers per answer. */
  readonly width: number;
}

/** Ids per run: where both the float and the quantized model are near their best throughput. */
const TOKENS_PER_RUN = 256;

/**
 * Finds the answer among the outputs: `logits`, or else the first. Runs the model once.
 *
 * @param isMultiLabel whether each label may be true on its own.
 * @throws SluiceError `invalid_argument` when the output is neither one row per text nor one row per id.
 */
export async function readAnswerForm(
  session: ModelSession,
  isMultiLabel: boolean,
): Promise<AnswerForm> {
  const output = session.outputs.includes("logits") ? "logits" : (session.outputs[0] ?? "");
  const values = await session.run([Int32Array.of(0, 0)], [output]);
  const dims = values[output]?.dims ?? [];
  const width = dims.at(-1) ?? 0;
  if (dims.length === 3) return { output, kind: "features", width };
  if (dims.length === 2) {
    // One label beside no other is always the likeliest; its own score says more.
    return { output, kind: isMultiLabel || width === 1 ? "multi-label" : "single-label", width };
  }
  throw new SluiceError(
    "invalid_argument",
    `The model's output "${output}" has the shape [${dims.join(", ")}]; expected logits [batch, labels] or features ` +
      "[batch, length, channels].",
  );
}

/** The answers to one batch, in its order. */
export async function runBatch(
  session: ModelSession,
  form: AnswerForm,
  batch: readonly Int32Array[],
): Promise<Float32Array[]> {
  const values = await session.run(batch, [form.output]);
  const value = values[form.output];
  return batch.map((ids, row) => readAnswer(value, form, row, ids.length));
}

/**
 * The answers to all texts, in their order. They run sorted by length in batches of about 256 ids, or one by one.
 *
 * @param isAlone one by one: for models whose answers depend on the rest of the batch.
 */
export async function runTexts(
  session: ModelSession,
  form: AnswerForm,
  texts: readonly Int32Array[],
  isAlone = false,
): Promise<Float32Array[]> {
  const answers: Float32Array[] = new Array(texts.length);
  for (const batch of toSortedBatches(texts, isAlone)) {
    const rows = await runBatch(
      session,
      form,
      batch.map((index) => texts[index] as Int32Array),
    );
    for (const [row, index] of batch.entries()) answers[index] = rows[row] as Float32Array;
  }
  return answers;
}

/** Indexes of the texts, shortest first, cut so that a padded batch holds at most 256 ids or a single text. */
export function toSortedBatches(texts: readonly Int32Array[], isAlone = false): number[][] {
  const order = texts.map((_, index) => index);
  order.sort((a, b) => (texts[a]?.length ?? 0) - (texts[b]?.length ?? 0) || a - b);
  const batches: number[][] = [];
  let current: number[] = [];
  for (const index of order) {
    const padded = (current.length + 1) * (texts[index]?.length ?? 0);
    if (current.length > 0 && (isAlone || padded > TOKENS_PER_RUN)) {
      batches.push(current);
      current = [];
    }
    current.push(index);
  }
  if (current.length > 0) batches.push(current);
  return batches;
}

function readAnswer(
  value: ModelValue | undefined,
  { kind, width, output }: AnswerForm,
  row: number,
  length: number,
): Float32Array {
  if (value === undefined) throw new SluiceError("internal", `No output ${output}.`);
  if (kind !== "features") return value.data.slice(row * width, (row + 1) * width);
  const rowStart = row * (value.dims[1] ?? 0) * width;
  const mean = new Float32Array(width);
  for (let at = 0; at < length * width; at++) {
    const channel = at % width;
    mean[channel] = (mean[channel] as number) + (value.data[rowStart + at] as number) / length;
  }
  return mean;
}
