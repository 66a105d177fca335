import type { Tensor, TensorSpec } from "../ports/tensor.ts";
import { fromHalfBits } from "../tensors/half-float.ts";
import type { OutputDisagreementRule } from "./release-metric.ts";
import type { ReleasePlan } from "./release-plan.ts";

/** What of two versions' answers to the same request is compared, and for which metric. */
export interface OutputComparison extends Omit<OutputDisagreementRule, "kind" | "maxRatio"> {
  readonly metric: string;
}

/** Answers that were compared. */
export interface ComparedAnswers {
  readonly agreed: number;
  readonly disagreed: number;
}

/** Of long answers the first rows are enough, so that comparing them keeps nobody waiting. */
const MAX_ELEMENTS = 1 << 16;

/** What a plan wants compared. */
export function listComparisons({ metrics }: ReleasePlan): readonly OutputComparison[] {
  return metrics.flatMap((metric) => {
    if (metric.kind !== "output_disagreement") return [];
    const { name, output, compare, tolerance } = metric;
    return [{ metric: name, output, compare, tolerance }];
  });
}

/**
 * Compares what two versions answered to the same tensors. Where the model leaves the first size of its outputs open, every row is
 * an answer of its own; otherwise all of it is one. Pure.
 *
 * @param specs the outputs of the model @returns how many answers agree; none where the caller did not ask for the output
 */
export function compareOutputs(
  stable: readonly Tensor[],
  candidate: readonly Tensor[],
  specs: readonly TensorSpec[],
  comparison: OutputComparison,
): ComparedAnswers {
  const pairs = stable.flatMap((one) => {
    if (comparison.output !== null && one.name !== comparison.output) return [];
    const other = candidate.find(({ name }) => name === one.name);
    return other === undefined ? [] : [{ one, other }];
  });
  if (pairs.length === 0) return { agreed: 0, disagreed: 0 };
  const rows = countRows(
    pairs.map(({ one }) => one),
    specs,
  );
  if (!pairs.every(({ one, other }) => haveSameForm(one, other))) {
    return { agreed: 0, disagreed: rows };
  }
  let agreed = 0;
  let disagreed = 0;
  for (let row = 0, elements = 0; row < rows && elements < MAX_ELEMENTS; row++) {
    let isAlike = true;
    for (const { one, other } of pairs) {
      const size = one.data.length / rows;
      elements += size;
      isAlike &&= isRowAlike(one, other, row * size, (row + 1) * size, comparison);
    }
    if (isAlike) agreed++;
    else disagreed++;
  }
  return { agreed, disagreed };
}

/** Rows that all of them have; 1 where they have none, or not all the same number. */
function countRows(outputs: readonly Tensor[], specs: readonly TensorSpec[]): number {
  const rows = outputs[0]?.shape[0];
  const haveRows = outputs.every(({ name, shape }) => {
    const spec = specs.find((known) => known.name === name);
    return spec?.shape?.[0] === null && shape[0] === rows;
  });
  return haveRows ? (rows ?? 1) : 1;
}

function haveSameForm(one: Tensor, other: Tensor): boolean {
  return (
    one.datatype === other.datatype &&
    one.shape.length === other.shape.length &&
    one.shape.every((size, axis) => other.shape[axis] === size)
  );
}

function isRowAlike(
  one: Tensor,
  other: Tensor,
  from: number,
  to: number,
  { compare, tolerance }: OutputComparison,
): boolean {
  if (compare === "values") {
    const [a, b] = [toFloats(one, from, to), toFloats(other, from, to)];
    if (a !== undefined && b !== undefined) return isNear(a, b, tolerance);
    return isSame(one, other, from, to);
  }
  const width = Math.max(1, Math.min(one.shape.at(-1) ?? 1, to - from));
  for (let start = from; start < to; start += width) {
    if (topOf(one, start, start + width) !== topOf(other, start, start + width)) return false;
  }
  return true;
}

/** Elements of a tensor of floats; undefined for any other, whose elements are the same or not. */
function toFloats(tensor: Tensor, from: number, to: number): ArrayLike<number> | undefined {
  if (tensor.datatype === "FP32" || tensor.datatype === "FP64") {
    return tensor.data.subarray(from, to);
  }
  if (tensor.datatype !== "FP16") return undefined;
  return Array.from(tensor.data.subarray(from, to), fromHalfBits);
}

/**
 * Whether two vectors are as near to each other as they must be: the length of their difference, divided by that of the longer one,
 * is `tolerance` at most. What is no finite number is near to the same only. Pure.
 */
export function isNear(
  one: ArrayLike<number>,
  other: ArrayLike<number>,
  tolerance: number,
): boolean {
  if (one.length !== other.length) return false;
  let largest = 0;
  for (let i = 0; i < one.length; i++) {
    const [a = 0, b = 0] = [one[i], other[i]];
    if (!Number.isFinite(a - b)) {
      if (!Object.is(a, b)) return false;
    } else largest = Math.max(largest, Math.abs(a), Math.abs(b));
  }
  if (largest === 0) return true;
  let [difference, ofOne, ofOther] = [0, 0, 0];
  for (let i = 0; i < one.length; i++) {
    // By the largest, so that no square is too large or too small to be a number.
    const [a, b] = [(one[i] ?? 0) / largest, (other[i] ?? 0) / largest];
    if (!Number.isFinite(a - b)) continue;
    difference += (a - b) ** 2;
    ofOne += a ** 2;
    ofOther += b ** 2;
  }
  return Math.sqrt(difference) <= tolerance * Math.sqrt(Math.max(ofOne, ofOther));
}

function isSame(one: Tensor, other: Tensor, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const [a, b] = [one.data[i], other.data[i]];
    const areBytes = a instanceof Uint8Array && b instanceof Uint8Array;
    if (areBytes ? !areSameBytes(a, b) : a !== b) return false;
  }
  return true;
}

function areSameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => other[at] === byte);
}

/** Place of the largest element, of several the first; -1 where none is a number. */
function topOf(tensor: Tensor, from: number, to: number): number {
  const values = toFloats(tensor, from, to);
  let top = -1;
  let largest: number | bigint = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < to - from; at++) {
    const value = values === undefined ? tensor.data[from + at] : values[at];
    if (typeof value !== "number" && typeof value !== "bigint") continue;
    if (!Number.isNaN(value) && (top < 0 || value > largest)) {
      top = at;
      largest = value;
    }
  }
  return top;
}
