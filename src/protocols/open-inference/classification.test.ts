import { expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import type { Tensor } from "../../core/ports/tensor.ts";
import { toClasses } from "./classification.ts";

const SCORES: Tensor = {
  name: "probabilities",
  datatype: "FP32",
  shape: [2, 3],
  data: new Float32Array([0.25, 0.5, 0.25, 0.1, 0.2, 0.7]),
};
const LABELS = ["a", "b", "c"];

test("every row becomes its best classes with value, index and label; the lower index wins a tie", () => {
  expect(toClasses(SCORES, { count: 2, labels: LABELS, isBatched: true })).toEqual({
    name: "probabilities",
    datatype: "BYTES",
    shape: [2, 2],
    data: ["0.500000:1:b", "0.250000:0:a", "0.700000:2:c", "0.200000:1:b"],
  });
});

test("more classes than there are give all of them", () => {
  const { shape } = toClasses(SCORES, { count: 1e9, labels: LABELS, isBatched: true });
  expect(shape).toEqual([2, 3]);
});

test("without rows, the whole tensor is one, in the order of its memory", () => {
  const { shape, data } = toClasses(SCORES, { count: 2, labels: undefined, isBatched: false });
  expect(shape).toEqual([2]);
  expect(data).toEqual(["0.700000:5", "0.500000:1"]);
});

test("whole numbers keep their digits, and halves are read as numbers", () => {
  const options = { count: 1, labels: undefined, isBatched: false };
  const whole = new BigInt64Array([-1n, 2n ** 62n + 1n]);
  expect(
    toClasses({ name: "x", datatype: "INT64", shape: [2], data: whole }, options).data,
  ).toEqual(["4611686018427387905:1"]);
  const halves = new Uint16Array([0x3c00, 0xbc00]);
  expect(
    toClasses({ name: "x", datatype: "FP16", shape: [2], data: halves }, options).data,
  ).toEqual(["1.000000:0"]);
});

test("what is no number comes last", () => {
  const data = new Float64Array([Number.NaN, -Infinity, 1, Number.NaN, Infinity]);
  const tensor: Tensor = { name: "x", datatype: "FP64", shape: [5], data };
  const { data: classes } = toClasses(tensor, { count: 5, labels: undefined, isBatched: false });
  expect(classes).toEqual(["inf:4", "1.000000:2", "-inf:1", "nan:0", "nan:3"]);
});

test("no rows give no classes", () => {
  const tensor: Tensor = { ...SCORES, datatype: "FP32", shape: [0, 3], data: new Float32Array(0) };
  const classes = toClasses(tensor, { count: 2, labels: LABELS, isBatched: true });
  expect(classes).toMatchObject({ shape: [0, 2], data: [] });
});

test("texts have no classes", () => {
  const tensor: Tensor = { name: "label", datatype: "BYTES", shape: [1], data: ["a"] };
  const run = () => toClasses(tensor, { count: 1, labels: undefined, isBatched: true });
  expect(run).toThrow(SluiceError);
  expect(run).toThrow("outputs.label is BYTES, which cannot be classified.");
});
