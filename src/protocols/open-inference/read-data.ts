import type { Tensor, TensorDatatype } from "../../core/ports/tensor.ts";
import { countElements, createTensorData } from "../../core/tensors/tensor-data.ts";
import type { ReadElements } from "../native/read-elements.ts";
import { readElements } from "../native/read-elements.ts";

/** The largest FP32. */
const MAX_FP32 = 3.4028234663852886e38;

/** Whole numbers whose arrays say themselves whether they hold a value. */
const WHOLE: readonly TensorDatatype[] = ["UINT8", "UINT16", "UINT32", "INT8", "INT16", "INT32"];

/**
 * Reads `data` of a tensor in JSON: flat, or nested as its shape says. Flat lists of numbers, which is what programs
 * send, take a short way; whatever does not fit there is read, or named, by the rules of `readElements`.
 *
 * @param shape whole numbers ≥ 0
 */
export function readData(
  value: unknown,
  shape: readonly number[],
  datatype: TensorDatatype,
): ReadElements {
  const data = readFlatNumbers(value, shape, datatype);
  return data === undefined ? readElements(value, shape, datatype) : { data };
}

function readFlatNumbers(
  value: unknown,
  shape: readonly number[],
  datatype: TensorDatatype,
): Tensor["data"] | undefined {
  if (!Array.isArray(value) || value.length !== countElements(shape)) return undefined;
  // A list within the list is found where its place can be named.
  if (typeof value[0] !== "number") return undefined;
  if (datatype === "FP32" || datatype === "FP64") return readFlatFloats(value, datatype);
  return WHOLE.includes(datatype) ? readFlatWhole(value, datatype) : undefined;
}

function readFlatFloats(
  values: readonly unknown[],
  datatype: "FP32" | "FP64",
): Tensor["data"] | undefined {
  const highest = datatype === "FP32" ? MAX_FP32 : Number.MAX_VALUE;
  const data = createTensorData(datatype, values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== "number" || Math.abs(value) > highest) return undefined;
    data[i] = value;
  }
  return data;
}

function readFlatWhole(
  values: readonly unknown[],
  datatype: TensorDatatype,
): Tensor["data"] | undefined {
  // Of a datatype whose elements are numbers.
  const data = createTensorData(datatype, values.length) as Int32Array;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== "number") return undefined;
    data[i] = value;
    // The array cut off what it cannot hold.
    if (data[i] !== value) return undefined;
  }
  return data;
}
