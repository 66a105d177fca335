import { describe, expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import type { Tensor, TensorSpec } from "../../core/ports/tensor.ts";
import { toClassifications, toRegressions } from "./example-answers.ts";
import type { Example, FeatureValues } from "./example-tensors.ts";
import { toExampleTensors } from "./example-tensors.ts";

const outputs: readonly TensorSpec[] = [{ name: "y", datatype: "FP32", shape: [null] }];
const floats = (...values: number[]): FeatureValues => ({ kind: "float", values });
const wholes = (...values: bigint[]): FeatureValues => ({ kind: "int64", values });
const texts = (...values: string[]): FeatureValues => ({ kind: "bytes", values });
const toExample = (features: Record<string, FeatureValues>): Example =>
  new Map(Object.entries(features));

function convert(
  inputs: readonly TensorSpec[],
  rows: readonly Record<string, FeatureValues>[],
  context?: Record<string, FeatureValues>,
): readonly Tensor[] {
  const shared = context && toExample(context);
  return toExampleTensors({ examples: rows.map(toExample), context: shared }, { inputs, outputs });
}

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof SluiceError && error.code === "invalid_argument") return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
}

const TEXT: TensorSpec = { name: "text", datatype: "BYTES", shape: [null] };
const X: TensorSpec = { name: "x", datatype: "FP32", shape: [null, null] };

describe("the features of examples", () => {
  test("go to the only input under any name, when they are the only ones", () => {
    const [tensor] = convert([TEXT], [{ review: texts("a") }, { text: texts("b") }]);
    expect(tensor).toEqual({ name: "text", datatype: "BYTES", shape: [2], data: ["a", "b"] });
  });

  test("are looked for by name when there are others", () => {
    const row = { review: texts("a"), title: texts("b") };
    expect(messageOf(() => convert([TEXT], [row]))).toContain(
      "inputs.text is no feature of example 0",
    );
  });

  test("have as many values as the model's shape leaves open", () => {
    const rows = [{ x: floats(1, 2, 3, 4) }, { x: floats(5, 6, 7, 8) }];
    const shapeFor = (shape: TensorSpec["shape"]) => convert([{ ...X, shape }], rows)[0]?.shape;
    expect(shapeFor([null, null])).toEqual([2, 4]);
    expect(shapeFor([null, 2, null])).toEqual([2, 2, 2]);
    expect(shapeFor([null, 4])).toEqual([2, 4]);
    expect(shapeFor(undefined)).toEqual([2, 4]);
    for (const shape of [
      [null, 3],
      [null],
      [null, 3, null],
      [null, null, null],
      [null, 0, null],
      [],
    ]) {
      expect(messageOf(() => shapeFor(shape))).toContain("inputs.x has 4 values per example");
    }
  });

  test("of whole numbers become any numbers that hold them", () => {
    const convertTo = (datatype: TensorSpec["datatype"], value: bigint) =>
      convert([{ name: "x", datatype, shape: [null] }], [{ x: wholes(value) }])[0]?.data[0];
    expect(convertTo("FP32", 3n)).toBe(3);
    expect(convertTo("FP16", 1n)).toBe(0x3c00);
    expect(convertTo("INT8", -128n)).toBe(-128);
    expect(convertTo("INT64", -5n)).toBe(-5n);
    expect(convertTo("BOOL", 1n)).toBe(1);
    for (const [datatype, value] of [
      ["INT8", 128n],
      ["UINT8", -1n],
      ["UINT64", -1n],
      ["BOOL", 2n],
    ] as const) {
      expect(messageOf(() => convertTo(datatype, value))).toContain(`no ${datatype}: number 0`);
    }
  });

  test("are refused when they are of another kind, or not alike", () => {
    const whole: TensorSpec = { name: "x", datatype: "INT64", shape: [null] };
    expect(messageOf(() => convert([whole], [{ x: floats(1) }]))).toContain("not made of a float");
    expect(messageOf(() => convert([whole], [{ x: texts("1") }]))).toContain("not made of a bytes");
    expect(messageOf(() => convert([TEXT], [{ text: floats(1) }]))).toContain("a float list");
    const uneven = [{ x: floats(1) }, { x: floats(1, 2) }];
    expect(messageOf(() => convert([X], uneven))).toContain("has 2 values in example 1 and 1");
    expect(messageOf(() => convert([X], []))).toContain("input has no examples");
  });

  test("that are optional may be left out of all examples, not of some", () => {
    const pair: TensorSpec = { name: "pair", datatype: "BYTES", shape: [null], isOptional: true };
    const [text, none] = convert([TEXT, pair], [{ text: texts("a") }]);
    expect([text?.name, none]).toEqual(["text", undefined]);
    const rows = [{ text: texts("a"), pair: texts("b") }, { text: texts("c") }];
    expect(messageOf(() => convert([TEXT, pair], rows))).toContain(
      "inputs.pair is no feature of example 1",
    );
  });

  test("that are shared give way to an example's own", () => {
    const year: TensorSpec = { name: "year", datatype: "INT32", shape: [null] };
    const [tensor] = convert([year], [{}, { year: wholes(2n) }], { year: wholes(1n) });
    expect(tensor?.data).toEqual(Int32Array.of(1, 2));
  });

  test("cannot be shared so often that memory runs out", () => {
    const shared = { x: floats(...new Array<number>(10_000).fill(1)) };
    const rows = new Array<Record<string, FeatureValues>>(1000).fill({});
    expect(messageOf(() => convert([X], rows, shared))).toContain("too large to be shared");
  });
});

const tensor = (name: string, shape: readonly number[], values: readonly number[]): Tensor => ({
  name,
  datatype: "FP32",
  shape,
  data: Float32Array.from(values),
});

describe("the answers about examples", () => {
  test("are the model's classes with their scores", () => {
    const scores = tensor("scores", [2, 2], [0.25, 0.75, 1, 0]);
    const names = ["no", "yes", "no", Uint8Array.of(97)];
    for (const name of ["labels", "classes"]) {
      const labels: Tensor = { name, datatype: "BYTES", shape: [2, 2], data: names };
      expect(toClassifications([scores, labels])).toEqual([
        [
          { label: "no", score: 0.25 },
          { label: "yes", score: 0.75 },
        ],
        [
          { label: "no", score: 1 },
          { label: "a", score: 0 },
        ],
      ]);
    }
    expect(toClassifications([tensor("y", [1, 1], [0.5])])).toEqual([[{ label: "", score: 0.5 }]]);
  });

  test("are one number per example", () => {
    expect(toRegressions([tensor("score", [2], [1, 2]), tensor("more", [2], [3, 4])])).toEqual([
      1, 2,
    ]);
    expect(toRegressions([tensor("y", [2, 1], [1, 2])])).toEqual([1, 2]);
  });

  test("are refused when the model answers with something else", () => {
    const label: Tensor = { name: "label", datatype: "BYTES", shape: [1], data: ["a"] };
    expect(messageOf(() => toClassifications([label]))).toContain("does not classify");
    expect(messageOf(() => toClassifications([tensor("score", [2], [1, 2])]))).toContain(
      "does not",
    );
    expect(messageOf(() => toRegressions([tensor("scores", [1, 2], [1, 2])]))).toContain(
      "does not",
    );
    expect(messageOf(() => toRegressions([]))).toContain("does not regress");
  });
});
