import { SluiceError } from "../../../core/errors.ts";
import type { Tensor } from "../../../core/ports/tensor.ts";
import type { OutputMeaning } from "./text-output.ts";

/** What scores are turned back from: the function that the model's server has applied, as the gateway will again. */
export type AppliedFunction = "softmax" | "sigmoid" | "none";

export interface RowOptions {
  readonly holds: OutputMeaning;
  /** All labels of the model in its order; empty for vectors. */
  readonly labels: readonly string[];
  readonly appliedFunction: AppliedFunction;
}

/**
 * Scores of sigmoid are kept this far from 0 and 1, where logits are infinite: about the distance between 1 and the
 * number next to it in FP32.
 */
const EDGE = 1e-7;
/** Shares of softmax are only infinite at 0. */
const SMALLEST_SHARE = 1e-30;

/**
 * One row of logits, or of a vector, per text. Pure.
 *
 * Scores become logits that the same function makes the same scores of: `ln p` for softmax, whose scores are the shares
 * of a sum, and `ln(p / (1 − p))` for sigmoid. A single number for a model of two labels is the second one's.
 *
 * @param output FP32 `[texts]` or `[texts, width]`
 * @param names the labels that belong to the scores, in the same order; only when it holds `labels`
 * @throws SluiceError `model_failed` when there is not one row of the right width per text, or a row is no number
 */
export function toRows(
  texts: number,
  output: Tensor,
  names: Tensor | undefined,
  options: RowOptions,
): readonly Float32Array[] {
  const { holds, labels } = options;
  if (output.datatype !== "FP32" || texts === 0 || output.data.length % texts !== 0) {
    throw failed(`has no row of FP32 for each of ${texts} texts`);
  }
  const width = output.data.length / texts;
  const rows = Array.from({ length: texts }, (_, i) =>
    output.data.slice(i * width, (i + 1) * width),
  );
  if (rows.some((row) => row.length === 0 || !row.every(Number.isFinite))) {
    throw failed("holds what is no number; it could not answer these texts");
  }
  if (holds === "vector") return rows;
  const ordered = holds === "labels" ? orderByLabel(rows, names, labels) : rows;
  return ordered.map((row) => toLogits(row, options));
}

function toLogits(row: Float32Array, { holds, labels, appliedFunction }: RowOptions): Float32Array {
  const isRaw = holds === "logits" || appliedFunction === "none";
  const isSingle = row.length === 1 && labels.length === 2;
  const full = isSingle ? spread(row[0] ?? 0, isRaw) : row;
  if (full.length !== labels.length) {
    throw failed(`has ${row.length} numbers per text; the model has ${labels.length} labels`);
  }
  if (isRaw) return full;
  return appliedFunction === "softmax" ? full.map(toShare) : full.map(toLogOdds);
}

/** Both labels' numbers out of the second one's. */
function spread(value: number, isRaw: boolean): Float32Array {
  return isRaw ? Float32Array.of(0, value) : Float32Array.of(1 - value, value);
}

function toShare(score: number): number {
  return Math.log(Math.max(score, SMALLEST_SHARE));
}

function toLogOdds(score: number): number {
  const inside = Math.min(Math.max(score, EDGE), 1 - EDGE);
  return Math.log(inside / (1 - inside));
}

/** Lists of labels come sorted by score, or cut off behind the best: what is not in one has no score. */
function orderByLabel(
  rows: readonly Float32Array[],
  names: Tensor | undefined,
  labels: readonly string[],
): readonly Float32Array[] {
  if (names?.datatype !== "BYTES") throw failed("comes without the names of its labels");
  const { data } = names;
  const width = rows[0]?.length ?? 0;
  // Some models say the names once, others with every text.
  const isOnce = data.length === width;
  if (!isOnce && data.length !== width * rows.length) {
    throw failed("has another number of scores than of labels");
  }
  const places = new Map<unknown, number>(labels.map((label, place) => [label, place]));
  return rows.map((row, index) => {
    const ordered = new Float32Array(labels.length);
    for (const [column, score] of row.entries()) {
      const name = data[isOnce ? column : index * width + column];
      const place = places.get(name);
      if (place === undefined) throw failed("names a label that the model does not have");
      ordered[place] = score;
    }
    return ordered;
  });
}

function failed(problem: string): SluiceError {
  return new SluiceError("model_failed", `The output of the remote model ${problem}.`);
}
