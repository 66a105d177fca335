import type { Tensor, TensorData, TensorDatatype } from "../ports/tensor.ts";
import { TENSOR_DATATYPES } from "../ports/tensor.ts";

/** What may hold the elements of each datatype. */
const ARRAYS = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
  BYTES: Array,
} as const;

/** Array lengths end here, far below what a number can still count. */
const MAX_ELEMENTS = 2 ** 31 - 1;
const MAX_RANK = 32;

/** Whether `value` is the name of a datatype. */
export function isTensorDatatype(value: unknown): value is TensorDatatype {
  return TENSOR_DATATYPES.some((name) => name === value);
}

/**
 * How many elements a tensor of this shape has.
 *
 * @returns undefined when it is no shape: a size that is no whole number ≥ 0, more than 32 sizes, or more elements than
 * any array has
 */
export function countElements(shape: readonly number[]): number | undefined {
  if (shape.length > MAX_RANK) return undefined;
  let elements = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0 || size > MAX_ELEMENTS) return undefined;
    elements *= size;
  }
  return elements <= MAX_ELEMENTS ? elements : undefined;
}

/** Room for the elements of a tensor: zeros, or empty texts. Typed arrays have a buffer of their own. */
export function createTensorData<Datatype extends TensorDatatype>(
  datatype: Datatype,
  elements: number,
): TensorData[Datatype];
export function createTensorData(datatype: TensorDatatype, elements: number): Tensor["data"] {
  return datatype === "BYTES"
    ? new Array<string>(elements).fill("")
    : new ARRAYS[datatype](elements);
}

/**
 * What is wrong with a tensor as such, whatever model it is for: undefined when its shape is one, its data is the array
 * that its datatype has, and holds as many elements as the shape says.
 */
export function findTensorProblem({ datatype, shape, data }: Tensor): string | undefined {
  const elements = countElements(shape);
  if (elements === undefined) {
    return `has the shape [${shape.slice(0, MAX_RANK).join(", ")}], which is none: sizes are whole numbers from 0`;
  }
  if (!(data instanceof ARRAYS[datatype])) return `does not hold ${datatype}`;
  if (data.length === elements) return undefined;
  return `has ${data.length} elements, but its shape [${shape.join(", ")}] has ${elements}`;
}

/** The elements of several tensors of one datatype, one after the other, in a buffer of their own. */
export function concatenateData(tensors: readonly [Tensor, ...Tensor[]]): Tensor["data"] {
  const [{ datatype }] = tensors;
  if (datatype === "BYTES") {
    return tensors.flatMap((tensor) => (tensor.datatype === "BYTES" ? tensor.data : []));
  }
  const elements = tensors.reduce((sum, { data }) => sum + data.length, 0);
  const joined = createTensorData(datatype, elements);
  let offset = 0;
  for (const { data } of tensors) {
    // Of one datatype, so of one kind of array.
    joined.set(data as never, offset);
    offset += data.length;
  }
  return joined;
}
