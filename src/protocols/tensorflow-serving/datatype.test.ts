import { expect, test } from "vitest";
import { TENSOR_DATATYPES } from "../../core/ports/tensor.ts";
import { fromTensorFlowType, toTensorFlowType } from "./datatype.ts";

test("every datatype has a name in TensorFlow, and the name leads back", () => {
  const names = TENSOR_DATATYPES.map(toTensorFlowType);
  expect(new Set(names).size).toBe(TENSOR_DATATYPES.length);
  expect(names.map(fromTensorFlowType)).toEqual(TENSOR_DATATYPES);
  expect(toTensorFlowType("FP16")).toBe("DT_HALF");
});

test("what is none of our datatypes has no name here", () => {
  for (const name of ["DT_BFLOAT16", "DT_QINT8", "FP32", "", "toString"]) {
    expect(fromTensorFlowType(name)).toBeUndefined();
  }
});
