import type { Tensor, TensorDatatype, TensorSpec } from "../../core/ports/tensor.ts";
import { toHalfBits } from "../../core/tensors/half-float.ts";
import { countElements, createTensorData } from "../../core/tensors/tensor-data.ts";
import { toTextOrBytes } from "../tensor-bytes.ts";
import type { LenientJson } from "./lenient-json.ts";
import { malformed } from "./malformed.ts";

/** Deeper nesting is no tensor. */
const MAX_RANK = 32;

/** `{"b64": "…"}`, which stands for bytes. */
export function isBytesObject(value: unknown): value is { readonly b64: string } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const names = Object.keys(value);
  return (
    names.length === 1 && names[0] === "b64" && "b64" in value && typeof value.b64 === "string"
  );
}

/**
 * Reads a value, or nested lists of values that are all as long as the first of their depth, as an input of a model.
 *
 * @param json parsed by `parseLenientJson`, or a part of it
 * @param field where it stands, for messages
 * @throws SluiceError `invalid_argument` in TensorFlow Serving's words
 */
export function readJsonTensor(json: LenientJson, spec: TensorSpec, field: string): Tensor {
  const { value, areWholeBigInts } = json;
  const { name, datatype } = spec;
  const shape = inferShape(value);
  const elements = countElements(shape);
  if (shape.length > MAX_RANK || elements === undefined) {
    throw malformed(`JSON Value: [...] nests too deep or is too large for input: ${name}`, field);
  }
  const data = createTensorData(datatype, elements);
  const put = createPut(data as unknown[], datatype, areWholeBigInts);
  let next = 0;
  const visit = (node: unknown, axis: number): void => {
    const size = shape[axis];
    if (size === undefined) {
      if (Array.isArray(node)) throw uneven(name, field);
      if (!put(next++, node)) throw unexpected(node, datatype, field);
      return;
    }
    if (!Array.isArray(node) || node.length !== size) throw uneven(name, field);
    for (const child of node) visit(child, axis + 1);
  };
  visit(value, 0);
  return { name, datatype, shape, data } as Tensor;
}

function inferShape(value: unknown): readonly number[] {
  const shape: number[] = [];
  for (let node = value; Array.isArray(node) && shape.length <= MAX_RANK; node = node[0]) {
    shape.push(node.length);
  }
  return shape;
}

type Put = (index: number, value: unknown) => boolean;

function createPut(data: unknown[], datatype: TensorDatatype, areWholeBigInts: boolean): Put {
  const store = (index: number, value: unknown) => {
    data[index] = value;
    return true;
  };
  if (datatype === "BYTES") return (index, value) => putBytes(store, index, value);
  if (datatype === "BOOL") {
    return (index, value) => typeof value === "boolean" && store(index, Number(value));
  }
  if (datatype.startsWith("FP")) return createPutFloat(store, datatype);
  const isLong = datatype === "INT64" || datatype === "UINT64";
  return (index, value) => {
    const whole = areWholeBigInts && typeof value === "number" ? undefined : toWhole(value);
    if (whole === undefined) return false;
    const element = isLong ? whole : Number(whole);
    data[index] = element;
    // An array that cannot hold it has cut it off.
    return data[index] === element;
  };
}

function putBytes(
  store: (index: number, value: unknown) => boolean,
  index: number,
  value: unknown,
): boolean {
  if (typeof value === "string") return store(index, value);
  if (!isBytesObject(value)) return false;
  return store(index, toTextOrBytes(Buffer.from(value.b64, "base64")));
}

function createPutFloat(
  store: (index: number, value: unknown) => boolean,
  datatype: TensorDatatype,
): Put {
  return (index, value) => {
    if (typeof value !== "number" && typeof value !== "bigint") return false;
    const number = Number(value);
    if (datatype === "FP16") return store(index, toHalfBits(number));
    // A finite number that becomes infinite is too large for its type.
    const isLost = datatype === "FP32" && !Number.isFinite(Math.fround(number));
    return isLost && Number.isFinite(number) ? false : store(index, number);
  };
}

function toWhole(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value;
  return Number.isSafeInteger(value) ? BigInt(value as number) : undefined;
}

function uneven(name: string, field: string) {
  return malformed(
    `Encountered a list of another length or depth than the first in input: ${name}. All must have the same size and shape.`,
    field,
  );
}

/** TensorFlow's names of the types of its messages. */
const CALLED: Readonly<Partial<Record<TensorDatatype, string>>> = {
  BYTES: "string",
  FP16: "half",
  FP32: "float",
  FP64: "double",
};

/** Values are named by their kind only: callers' texts do not belong into messages. */
function unexpected(value: unknown, datatype: TensorDatatype, field: string) {
  const isNumber = typeof value === "number" || typeof value === "bigint";
  const shown = isNumber || typeof value === "boolean" ? String(value) : "...";
  const type = isNumber ? "Number" : typeof value === "string" ? "String" : "Object";
  const expected = CALLED[datatype] ?? datatype.toLowerCase();
  return malformed(
    `JSON Value: ${shown} Type: ${type} is not of expected type: ${expected}`,
    field,
  );
}
