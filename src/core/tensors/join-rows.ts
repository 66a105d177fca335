import { SluiceError } from "../errors.ts";
import type { Tensor, TensorSignature, TensorSpec } from "../ports/tensor.ts";
import { concatenateData } from "./tensor-data.ts";

/** Inputs of one request and the outputs that it wants. */
export interface TensorQuestion {
  readonly inputs: readonly Tensor[];
  /** At least one. */
  readonly outputs: readonly string[];
}

/** Several questions as one. */
export interface JoinedQuestion extends TensorQuestion {
  /** Rows of each, in order. */
  readonly rows: readonly number[];
}

/** Whether a graph leaves open how many rows go through it: the first size of every input and output is not fixed. */
export function mayJoinRows({ inputs, outputs }: TensorSignature): boolean {
  const isOpen = ({ shape }: TensorSpec) => shape?.[0] === null;
  return [...inputs, ...outputs].every(isOpen);
}

/**
 * Rows of a question: the first size that all its inputs share.
 *
 * @returns undefined when an input has none or they differ: then what a row is cannot be told
 */
export function countRows({ inputs }: TensorQuestion): number | undefined {
  const rows = inputs[0]?.shape[0];
  return inputs.every(({ shape }) => shape[0] === rows) ? rows : undefined;
}

/**
 * Questions with the same key may be joined: they have the same inputs, whose rows are of the same shape and datatype,
 * and want the same outputs.
 *
 * @returns undefined for a question that must run alone
 */
export function toJoinKey(question: TensorQuestion): string | undefined {
  const rows = countRows(question);
  if (rows === undefined || rows === 0) return undefined;
  const inputs = question.inputs
    .map(({ name, datatype, shape }) => [name, datatype, ...shape.slice(1)])
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return JSON.stringify([inputs, question.outputs]);
}

/** Puts the rows of questions with one key below each other. Pure: for one alone, its own tensors. */
export function joinRows(
  questions: readonly [TensorQuestion, ...TensorQuestion[]],
): JoinedQuestion {
  const [first, ...others] = questions;
  const rows = questions.map((question) => countRows(question) ?? 0);
  if (others.length === 0) return { ...first, rows };
  const total = rows.reduce((sum, count) => sum + count, 0);
  const inputs = first.inputs.map((input) => {
    const rest = others.map(({ inputs: theirs }) => findTensor(theirs, input.name));
    const data = concatenateData([input, ...rest]);
    return { ...input, shape: [total, ...input.shape.slice(1)], data } as Tensor;
  });
  return { inputs, outputs: first.outputs, rows };
}

/**
 * The inverse for what comes out: each question's own rows of every output, in memory of their own.
 *
 * @throws SluiceError `model_failed` when an output has not as many rows as went in
 */
export function splitRows(
  outputs: readonly Tensor[],
  rows: readonly number[],
): readonly (readonly Tensor[])[] {
  const total = rows.reduce((sum, count) => sum + count, 0);
  for (const { name, shape } of outputs) {
    if (shape[0] === total) continue;
    const found = `the output ${name} has ${shape[0] ?? "no"} for ${total}`;
    throw new SluiceError("model_failed", `The model does not give one row for each: ${found}.`);
  }
  let start = 0;
  return rows.map((count) => {
    const from = start;
    start += count;
    return outputs.map((output) => sliceRows(output, from, count));
  });
}

function sliceRows(tensor: Tensor, from: number, count: number): Tensor {
  const { shape, data } = tensor;
  const [rows = 0, ...rest] = shape;
  const stride = rows === 0 ? 0 : data.length / rows;
  const own = data.slice(from * stride, (from + count) * stride);
  return { ...tensor, shape: [count, ...rest], data: own } as Tensor;
}

function findTensor(tensors: readonly Tensor[], wanted: string): Tensor {
  const found = tensors.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  throw new SluiceError("internal", `Questions were joined that differ in ${wanted}.`);
}
