import type { Tensor } from "../../core/ports/tensor.ts";
import { fromHalfBits } from "../../core/tensors/half-float.ts";

/** Elements as JSON, or why they cannot be. */
export type EncodedData = { readonly json: string } | { readonly problem: string };

const NOT_FINITE = "holds NaN or an infinity, which JSON has no number for";
const NO_TEXT = "holds bytes that are no text, which JSON has no string for";

/**
 * Elements of a tensor as a flat JSON list. Whole numbers of 64 bits keep all digits, and floats read as doubles are the
 * floats that they were.
 */
export function encodeJsonData(tensor: Tensor): EncodedData {
  switch (tensor.datatype) {
    case "BYTES": {
      const isText = tensor.data.every((element) => typeof element === "string");
      return isText ? { json: JSON.stringify(tensor.data) } : { problem: NO_TEXT };
    }
    case "BOOL":
      return { json: JSON.stringify(Array.from(tensor.data, (value) => value !== 0)) };
    case "FP16":
      return encodeFloats(Array.from(tensor.data, fromHalfBits));
    case "FP32":
    case "FP64":
      return encodeFloats(Array.from(tensor.data));
    default:
      return { json: `[${tensor.data.join()}]` };
  }
}

function encodeFloats(values: readonly number[]): EncodedData {
  let hasMinusZero = false;
  for (const value of values) {
    if (!Number.isFinite(value)) return { problem: NOT_FINITE };
    if (value === 0 && Object.is(value, -0)) hasMinusZero = true;
  }
  // The runtime writes -0 as 0, and some readers take -0 for a whole number, which has no sign then.
  if (!hasMinusZero) return { json: JSON.stringify(values) };
  const written = values.map((value) => (Object.is(value, -0) ? "-0.0" : String(value)));
  return { json: `[${written.join()}]` };
}
