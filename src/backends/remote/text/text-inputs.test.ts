import { expect, test } from "vitest";
import type { TensorDatatype, TensorSpec } from "../../../core/ports/tensor.ts";
import { findTextInputs, toTextTensors } from "./text-inputs.ts";
import { findTextOutput } from "./text-output.ts";

function spec(name: string, datatype: TensorDatatype = "BYTES", dimensions = 1): TensorSpec {
  return { name, datatype, shape: new Array<null>(dimensions).fill(null) };
}

const Y = spec("y", "FP32", 2);

test("the only input of texts is used, beside one called pair", () => {
  expect(findTextInputs({ inputs: [spec("INPUT0")], outputs: [Y] }, {})).toEqual({
    text: "INPUT0",
    pair: undefined,
  });
  const pair: TensorSpec = { ...spec("pair"), isOptional: true };
  expect(findTextInputs({ inputs: [spec("text"), pair], outputs: [Y] }, {})).toEqual({
    text: "text",
    pair: "pair",
  });
});

test("where it is not clear which input holds the texts, the refusal lists them", () => {
  const two = { inputs: [spec("a"), spec("b")], outputs: [Y] };
  expect(() => findTextInputs(two, {})).toThrow("a (BYTES), b (BYTES)");
  expect(findTextInputs(two, { text: "b", pair: "a" })).toEqual({ text: "b", pair: "a" });
  expect(() => findTextInputs({ inputs: [spec("x", "FP32")], outputs: [Y] }, {})).toThrow(
    "x (FP32)",
  );
  const needsMore = { inputs: [spec("a"), spec("k", "INT64")], outputs: [Y] };
  expect(() => findTextInputs(needsMore, {})).toThrow("it needs others");
});

test("texts take the shape that the model states, and pairs without an input are refused", () => {
  const signature = { inputs: [spec("a", "BYTES", 2)], outputs: [Y] };
  const inputs = { text: "a", pair: undefined };
  expect(toTextTensors(signature, inputs, [{ text: "x", pair: undefined }])).toEqual([
    { name: "a", datatype: "BYTES", shape: [1, 1], data: ["x"] },
  ]);
  expect(() => toTextTensors(signature, inputs, [{ text: "x", pair: "y" }])).toThrow("not a pair");
});

test("an output is found by its name, or because it is the only one that may be meant", () => {
  const outputs = (...specs: TensorSpec[]) => ({ inputs: [spec("a")], outputs: specs });
  const scores = spec("scores", "FP32", 2);
  expect(findTextOutput(outputs(spec("label"), spec("probabilities", "FP32", 2)), 3)).toMatchObject(
    {
      holds: "probabilities",
    },
  );
  expect(findTextOutput(outputs(scores, spec("labels", "BYTES", 2)), 3)).toEqual({
    name: "scores",
    holds: "labels",
    labelsName: "labels",
  });
  expect(findTextOutput(outputs(Y, spec("id", "INT64")), 3)).toEqual({
    name: "y",
    holds: "logits",
  });
  expect(findTextOutput(outputs(Y), 0)).toEqual({ name: "y", holds: "vector" });
  expect(() => findTextOutput(outputs(Y, spec("z", "FP32", 2)), 3)).toThrow("It has: y, z.");
});
