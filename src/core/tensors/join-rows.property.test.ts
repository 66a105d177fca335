import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Tensor, TensorDatatype, TensorSignature } from "../ports/tensor.ts";
import { TENSOR_DATATYPES } from "../ports/tensor.ts";
import type { TensorQuestion } from "./join-rows.ts";
import { joinRows, mayJoinRows, splitRows, toJoinKey } from "./join-rows.ts";
import { createTensorData } from "./tensor-data.ts";

interface Column {
  readonly datatype: TensorDatatype;
  readonly inner: readonly number[];
}

/** A tensor whose elements all differ from those of other seeds. */
function createTensor(
  name: string,
  { datatype, inner }: Column,
  rows: number,
  seed: number,
): Tensor {
  const shape = [rows, ...inner];
  const elements = shape.reduce((product, size) => product * size, 1);
  const data = createTensorData(datatype, elements) as unknown[];
  for (let i = 0; i < elements; i++) {
    const value = (seed + i) % 100;
    data[i] =
      datatype === "BYTES"
        ? `${value}`
        : /64/.test(datatype) && datatype !== "FP64"
          ? BigInt(value)
          : value;
  }
  return { name, datatype, shape, data } as unknown as Tensor;
}

/** A model in which no row has an influence on another: doubles numbers, and texts. */
function run(inputs: readonly Tensor[]): readonly Tensor[] {
  return inputs.map((tensor) => {
    const data = createTensorData(tensor.datatype, tensor.data.length) as unknown[];
    for (const [i, value] of tensor.data.entries()) {
      data[i] =
        typeof value === "string"
          ? value + value
          : typeof value === "bigint"
            ? value * 2n
            : Number(value) * 2;
    }
    return { ...tensor, name: `${tensor.name}_out`, data } as unknown as Tensor;
  });
}

const columns = fc.array(
  fc.record({
    datatype: fc.constantFrom(...TENSOR_DATATYPES),
    inner: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
  }),
  { minLength: 1, maxLength: 3 },
);
const counts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 });

describe("joined questions", () => {
  test("split(run(join(a, b, …))) is [run(a), run(b), …], whatever the order of inputs", () => {
    fc.assert(
      fc.property(columns, counts, fc.boolean(), (wanted, rows, reversed) => {
        const questions = rows.map((count, seed): TensorQuestion => {
          const inputs = wanted.map((column, i) =>
            createTensor(`t${i}`, column, count, 7 * seed + i),
          );
          return {
            inputs: reversed && seed % 2 === 1 ? inputs.toReversed() : inputs,
            outputs: ["o"],
          };
        });
        const [first, ...others] = questions;
        if (first === undefined) throw new Error("There is always one.");
        expect(new Set(questions.map(toJoinKey)).size).toBe(1);
        const joined = joinRows([first, ...others]);
        const answers = splitRows(run(joined.inputs), joined.rows);
        for (const [index, { inputs }] of questions.entries()) {
          const byName = new Map(run(inputs).map((tensor) => [tensor.name, tensor]));
          expect(new Map(answers[index]?.map((tensor) => [tensor.name, tensor]))).toEqual(byName);
        }
      }),
    );
  });

  test("one alone is not copied", () => {
    const input = createTensor("x", { datatype: "FP32", inner: [2] }, 3, 0);
    expect(joinRows([{ inputs: [input], outputs: ["o"] }]).inputs[0]).toBe(input);
  });

  test("an output with another number of rows is the model's failure", () => {
    const output = createTensor("o", { datatype: "FP32", inner: [] }, 3, 0);
    expect(() => splitRows([output], [1, 1])).toThrow(
      expect.objectContaining({
        code: "model_failed",
        message: expect.stringContaining("3 for 2"),
      }),
    );
    const single: Tensor = { name: "o", datatype: "FP32", shape: [], data: new Float32Array(1) };
    expect(() => splitRows([single], [1])).toThrow(/has no for 1/);
  });
});

describe("the key of a question", () => {
  const x = createTensor("x", { datatype: "FP32", inner: [2] }, 3, 0);
  const question: TensorQuestion = { inputs: [x], outputs: ["y"] };
  const differing: readonly [string, TensorQuestion][] = [
    ["inner sizes", { ...question, inputs: [{ ...x, shape: [6, 1] }] }],
    ["names", { ...question, inputs: [{ ...x, name: "w" }] }],
    ["outputs", { ...question, outputs: ["z"] }],
  ];
  test.each(differing)("differs with other %s", (_name, other) => {
    expect(toJoinKey(other)).not.toBe(toJoinKey(question));
  });

  test("is none when inputs differ in rows, have none, or are single values", () => {
    const longer = createTensor("w", { datatype: "FP32", inner: [] }, 4, 0);
    const empty = createTensor("x", { datatype: "FP32", inner: [] }, 0, 0);
    const single: Tensor = { name: "x", datatype: "FP32", shape: [], data: new Float32Array(1) };
    for (const inputs of [[x, longer], [empty], [single], [x, single]]) {
      expect(toJoinKey({ ...question, inputs })).toBeUndefined();
    }
  });
});

test("rows may be joined only where every input and output leaves their number open", () => {
  const signature = (input: TensorSignature["inputs"][0]["shape"], output: typeof input) =>
    mayJoinRows({
      inputs: [{ name: "x", datatype: "FP32", shape: input }],
      outputs: [{ name: "y", datatype: "FP32", shape: output }],
    });
  expect(signature([null, 4], [null])).toBe(true);
  expect(signature([1, 4], [null])).toBe(false);
  expect(signature([null, 4], [1])).toBe(false);
  expect(signature(undefined, [null])).toBe(false);
  expect(signature([null], [])).toBe(false);
});
