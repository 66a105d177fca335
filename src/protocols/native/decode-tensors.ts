import type { Lane } from "../../core/inference/lanes.ts";
import type { Tensor, TensorSignature } from "../../core/ports/tensor.ts";
import { TENSOR_DATATYPES } from "../../core/ports/tensor.ts";
import { assertInputNames } from "../../core/tensors/check-request.ts";
import { isTensorDatatype } from "../../core/tensors/tensor-data.ts";
import { FieldReader, nameOf } from "./field-reader.ts";
import { inferShape, readElements } from "./read-elements.ts";

/** The body of `POST /v1/predictions` with tensors, as far as it can be read without knowing the model. */
export interface DecodedTensorRequest {
  /** `undefined` = the server's default model. */
  readonly model: string | undefined;
  readonly version: string | undefined;
  readonly lane: Lane;
  /** By name, as they came. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** `undefined` = all. */
  readonly outputs: readonly string[] | undefined;
}

const FIELDS = ["inputs", "outputs", "model", "model_version", "lane"];
const TENSOR_FIELDS = ["shape", "datatype", "data"];
/** Far more than any model has. */
export const MAX_OUTPUTS = 1024;

/** Whether a body asks about tensors: its `inputs` are an object, where texts are a list. */
export function isTensorBody(body: unknown): boolean {
  if (typeof body !== "object" || body === null || !("inputs" in body)) return false;
  const { inputs } = body;
  return typeof inputs === "object" && inputs !== null && !Array.isArray(inputs);
}

/**
 * Reads everything of a body but the tensors themselves.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function decodeTensorRequest(body: unknown): DecodedTensorRequest {
  const read = new FieldReader(body);
  const { model, version, lane } = read.options();
  const outputs = decodeOutputs(read);
  read.refuseUnknown(FIELDS);
  read.assertNoProblems();
  const inputs = read.fields["inputs"] as Readonly<Record<string, unknown>>;
  return { model, version, lane, inputs, outputs };
}

/**
 * Reads the tensors of a request. Each is `{shape, datatype, data}`, with `data` flat or nested, or nothing but nested
 * lists; what is not said follows from the nesting and from the model. That all of it fits the model is the core's to
 * check.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong input
 */
export function decodeTensors(
  inputs: Readonly<Record<string, unknown>>,
  signature: TensorSignature,
): readonly Tensor[] {
  assertInputNames(Object.keys(inputs), signature);
  const read = new FieldReader({});
  const tensors = signature.inputs.map(({ name, datatype }) => {
    const value = inputs[name];
    const field = `inputs.${name}`;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return decodeTensor(read, field, { name, datatype, shape: inferShape(value), data: value });
    }
    return decodeObject(read, field, { name, datatype }, value as Record<string, unknown>);
  });
  read.assertNoProblems();
  return tensors.filter((tensor) => tensor !== undefined);
}

function decodeOutputs(read: FieldReader): readonly string[] | undefined {
  const value = read.fields["outputs"];
  if (value === undefined || value === null) return undefined;
  const isNames = Array.isArray(value) && value.every((name) => typeof name === "string");
  if (isNames && value.length > 0 && value.length <= MAX_OUTPUTS) return value;
  read.report("outputs", `must be a list of names of outputs; found ${nameOf(value)}`);
  return undefined;
}

type TensorHead = Pick<Tensor, "name" | "datatype">;

function decodeObject(
  read: FieldReader,
  field: string,
  { name, datatype: expected }: TensorHead,
  value: Readonly<Record<string, unknown>>,
): Tensor | undefined {
  for (const key in value) {
    if (TENSOR_FIELDS.includes(key) || read.isFull) continue;
    const known = TENSOR_FIELDS.join(", ");
    read.report(`${field}.${key.slice(0, 64)}`, `is not a field; known are ${known}`);
  }
  const { data, shape: stated, datatype = expected } = value;
  if (!isTensorDatatype(datatype)) {
    const known = TENSOR_DATATYPES.join(", ");
    read.report(`${field}.datatype`, `must be one of ${known}; found ${nameOf(datatype)}`);
    return undefined;
  }
  if (stated !== undefined && !isShape(stated)) {
    const rule = "must be a list of whole numbers from 0";
    read.report(`${field}.shape`, `${rule}; found ${nameOf(stated)}`);
    return undefined;
  }
  const shape = stated ?? inferShape(data);
  return decodeTensor(read, `${field}.data`, { name, datatype, shape, data });
}

function decodeTensor(
  read: FieldReader,
  field: string,
  { data, ...head }: TensorHead & { readonly shape: readonly number[]; readonly data: unknown },
): Tensor | undefined {
  const elements = readElements(data, head.shape, head.datatype);
  if (!("problem" in elements)) return { ...head, data: elements.data } as Tensor;
  read.report(`${field}${elements.path}`, elements.problem);
  return undefined;
}

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
