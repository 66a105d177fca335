import type { Tensor, TensorDatatype } from "../../core/ports/tensor.ts";
import { toHalfBits } from "../../core/tensors/half-float.ts";
import { countElements, createTensorData } from "../../core/tensors/tensor-data.ts";
import { nameOf } from "./field-reader.ts";

/** Elements that could be read, or the first place where they could not. */
export type ReadElements =
  | { readonly data: Tensor["data"] }
  /** `path` is where, in the terms of the JSON: `[1][2]`. */
  | { readonly path: string; readonly problem: string };

/** Deeper nesting is no tensor. */
const MAX_RANK = 32;

/** The shape that nested lists have when all are as long as the first of their depth. A single value has none. */
export function inferShape(value: unknown): readonly number[] {
  const shape: number[] = [];
  for (let node = value; Array.isArray(node) && shape.length <= MAX_RANK; node = node[0]) {
    shape.push(node.length);
  }
  return shape;
}

/**
 * Reads JSON values into the array of a datatype.
 *
 * Numbers must be within the datatype's range, and whole for whole ones. 64-bit numbers may be strings of digits, since
 * most programs cannot write all of them as JSON numbers; `null` is NaN, which JSON cannot write at all; for `BOOL`, 0
 * and 1 are taken too.
 *
 * @param value flat, or nested as `shape` says
 * @param shape whole numbers ≥ 0
 */
export function readElements(
  value: unknown,
  shape: readonly number[],
  datatype: TensorDatatype,
): ReadElements {
  const elements = countElements(shape);
  if (elements === undefined) return { path: "", problem: "nests too deep or is too large" };
  const isFlat = Array.isArray(value) && !Array.isArray(value[0]) && shape.length !== 1;
  if (isFlat && value.length !== elements) {
    const found = `found ${value.length}`;
    return { path: "", problem: `must hold ${elements} elements, as its shape says; ${found}` };
  }
  // Nothing is allocated before it is known to be there: a short body can state a huge shape.
  const layout = isFlat ? [elements] : shape;
  const misfit = findUneven(value, layout, []);
  if (misfit !== undefined) return misfit;
  const data = createTensorData(datatype, elements);
  const put = createPut(data, datatype);
  let next = 0;
  const visit = (node: unknown, axis: number): ReadElements | undefined => {
    if (axis === layout.length) {
      if (put(next, node)) next++;
      else
        return {
          path: toPath(next, layout),
          problem: `must be ${RULES[datatype]}; found ${nameOf(node)}`,
        };
      return undefined;
    }
    for (const child of node as readonly unknown[]) {
      const wrong = visit(child, axis + 1);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
  return visit(value, 0) ?? { data };
}

/** The first list that is not as long as it must be, or a value where a list must be. */
function findUneven(
  node: unknown,
  shape: readonly number[],
  indices: readonly number[],
): ReadElements | undefined {
  const axis = indices.length;
  if (axis === shape.length) {
    return Array.isArray(node) ? toUneven(indices, "a single value", node) : undefined;
  }
  const size = shape[axis] ?? 0;
  if (!Array.isArray(node) || node.length !== size) {
    return toUneven(indices, `a list of ${size}`, node);
  }
  // Of single values only the first is looked at: a list among them is found when they are read.
  const children = axis + 1 === shape.length ? node.slice(0, 1) : node;
  for (const [index, child] of children.entries()) {
    const wrong = findUneven(child, shape, [...indices, index]);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function toUneven(indices: readonly number[], expected: string, found: unknown): ReadElements {
  const what = Array.isArray(found) ? `a list of ${found.length}` : nameOf(found);
  const path = indices.map((index) => `[${index}]`).join("");
  return { path, problem: `must be ${expected}; found ${what}` };
}

/** `[row][column]` of the element at `position`. */
function toPath(position: number, shape: readonly number[]): string {
  let rest = position;
  let path = "";
  for (const size of shape.toReversed()) {
    path = `[${rest % size}]${path}`;
    rest = Math.floor(rest / size);
  }
  return path;
}

const RULES: Readonly<Record<TensorDatatype, string>> = {
  BOOL: "true or false",
  UINT8: "a whole number from 0 to 255",
  UINT16: "a whole number from 0 to 65535",
  UINT32: "a whole number from 0 to 4294967295",
  UINT64: "a whole number from 0 to 18446744073709551615, beyond 2^53 as a string",
  INT8: "a whole number from -128 to 127",
  INT16: "a whole number from -32768 to 32767",
  INT32: "a whole number from -2147483648 to 2147483647",
  INT64: "a whole number of 64 bits, beyond 2^53 as a string",
  FP16: "a number up to 65504, or null for NaN",
  FP32: "a number up to 3.4e38, or null for NaN",
  FP64: "a number up to 1.8e308, or null for NaN",
  BYTES: "a string",
};

/** Bits of the whole numbers that are JSON numbers; negative when they have a sign. */
const WHOLE_BITS: Readonly<Partial<Record<TensorDatatype, number>>> = {
  UINT8: 8,
  UINT16: 16,
  UINT32: 32,
  INT8: -8,
  INT16: -16,
  INT32: -32,
};

/** Stores one value, or says false when the datatype has none like it. */
type Put = (index: number, value: unknown) => boolean;

function createPut(array: Tensor["data"], datatype: TensorDatatype): Put {
  // Of the datatype, so all of its elements are of one kind.
  const data = array as unknown[];
  if (datatype === "BYTES")
    return (index, value) => store(data, index, value, typeof value === "string");
  if (datatype === "BOOL") {
    return (index, value) => {
      const isKnown = value === true || value === false || value === 0 || value === 1;
      return store(data, index, Number(value), isKnown);
    };
  }
  if (datatype === "INT64" || datatype === "UINT64") {
    const clamp = datatype === "INT64" ? BigInt.asIntN : BigInt.asUintN;
    return (index, value) => {
      const whole = toBigInt(value);
      return whole !== undefined && store(data, index, whole, clamp(64, whole) === whole);
    };
  }
  const bits = WHOLE_BITS[datatype];
  if (bits !== undefined) {
    const lowest = bits < 0 ? -(2 ** (-bits - 1)) : 0;
    const highest = bits < 0 ? 2 ** (-bits - 1) - 1 : 2 ** bits - 1;
    return (index, value) =>
      store(
        data,
        index,
        value,
        Number.isInteger(value) && Number(value) >= lowest && Number(value) <= highest,
      );
  }
  return createPutFloat(data, datatype);
}

function createPutFloat(data: unknown[], datatype: TensorDatatype): Put {
  const convert = datatype === "FP16" ? toHalfBits : (value: number) => value;
  const highest =
    { FP16: 65_504, FP32: 3.4028234663852886e38 }[datatype as string] ?? Number.MAX_VALUE;
  return (index, value) => {
    if (value === null) return store(data, index, convert(Number.NaN), true);
    if (typeof value !== "number" || Math.abs(value) > highest) return false;
    return store(data, index, convert(value), true);
  };
}

function store(data: unknown[], index: number, value: unknown, isKnown: boolean): boolean {
  if (isKnown) data[index] = value;
  return isKnown;
}

function toBigInt(value: unknown): bigint | undefined {
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  return typeof value === "string" && /^-?\d{1,20}$/.test(value) ? BigInt(value) : undefined;
}
