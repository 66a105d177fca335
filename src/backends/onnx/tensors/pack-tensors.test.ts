import { expect, test } from "vitest";
import type { Tensor } from "../../../core/ports/tensor.ts";
import { packCopies, packOwn } from "./pack-tensors.ts";

const buffer = new Float32Array([0, 1, 2, 3]);
const view: Tensor = { name: "v", datatype: "FP32", shape: [2], data: buffer.subarray(1, 3) };
const whole: Tensor = { name: "w", datatype: "INT32", shape: [1], data: Int32Array.of(7) };
const text: Tensor = { name: "t", datatype: "BYTES", shape: [1], data: ["a"] };

test("copies are as small as their tensors, and the originals survive the hand-over", () => {
  const { packed, transfer } = packCopies([view, whole, text]);
  expect(transfer.map(({ byteLength }) => byteLength)).toEqual([8, 4]);
  expect(structuredClone(packed, { transfer: [...transfer] })).toEqual([view, whole, text]);
  expect(Array.from(view.data)).toEqual([1, 2]);
  expect(Array.from(whole.data)).toEqual([7]);
});

test("memory that is a tensor's alone is handed over as it is, once, and views are copied", () => {
  const { packed, transfer } = packOwn([whole, view, whole]);
  expect(packed[0]).toBe(whole);
  expect(transfer).toHaveLength(3);
  expect(new Set(transfer).size).toBe(3);
  expect(structuredClone(packed, { transfer: [...transfer] })).toEqual([
    { ...whole, data: Int32Array.of(7) },
    view,
    { ...whole, data: Int32Array.of(7) },
  ]);
  expect(buffer).toHaveLength(4);
});
