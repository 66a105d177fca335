import type { Tensor, TensorDatatype } from "../../core/ports/tensor.ts";
import { countElements, isTensorDatatype } from "../../core/tensors/tensor-data.ts";
import { invalidField } from "../invalid-field.ts";
import { nameOf } from "../native/field-reader.ts";
import type { JsonObject, JsonPart } from "./parse-json-part.ts";
import { isJsonObject } from "./parse-json-part.ts";
import { describeWrongDatatype, describeWrongShape, readRawTensor } from "./raw-tensor.ts";
import { readData } from "./read-data.ts";

/** Far more than any model has. */
export const MAX_TENSORS = 1024;
const MAX_NAME_LENGTH = 1024;

/** One entry of the list, as far as it can be read without its elements. */
interface Entry {
  /** `inputs[0]`. */
  readonly field: string;
  readonly name: string;
  readonly datatype: TensorDatatype;
  readonly shape: readonly number[];
  /** Bytes of the binary part that are this tensor's; undefined: `data` holds the elements. */
  readonly binarySize: number | undefined;
  readonly data: unknown;
}

/**
 * Reads the tensors of a request or an answer: `{name, shape, datatype, parameters?, data}`, or instead of `data` a
 * `binary_data_size` among the parameters, and the elements in the binary part, one tensor behind the other. Members
 * that are null count as left out.
 *
 * @param list what they are called in the JSON
 * @param binary what follows the JSON; all of it must belong to a tensor
 * @returns in the order of the list; data from the binary part are views where that is possible
 * @throws SluiceError `invalid_argument` that names the first wrong field
 */
export function readWireTensors(
  json: JsonPart,
  list: "inputs" | "outputs",
  binary: Uint8Array,
): readonly Tensor[] {
  const entries = json.fields[list];
  if (!Array.isArray(entries)) {
    throw invalidField(list, `must be a list of tensors; found ${nameOf(entries)}`);
  }
  if (entries.length > MAX_TENSORS) {
    throw invalidField(list, `may hold ${MAX_TENSORS} tensors; found ${entries.length}`);
  }
  let offset = 0;
  const tensors = entries.map((value, index) => {
    const entry = readEntry(value, `${list}[${index}]`);
    if (entry.binarySize === undefined) return readFromJson(entry, toExactData(json, list, index));
    const start = offset;
    offset += entry.binarySize;
    return readFromBinary(entry, entry.binarySize, binary.subarray(start));
  });
  if (offset === binary.byteLength) return tensors;
  const rest = binary.byteLength - offset;
  throw invalidField("body", `has ${rest} bytes after the last of its ${list}`);
}

function readEntry(value: unknown, field: string): Entry {
  if (!isJsonObject(value)) throw invalidField(field, `must be an object; found ${nameOf(value)}`);
  const { name, shape, datatype, data } = value;
  if (typeof name !== "string" || name.length === 0 || name.length > MAX_NAME_LENGTH) {
    throw invalidField(`${field}.name`, `must be a name; found ${nameOf(name)}`);
  }
  if (!isShape(shape)) {
    const found = Array.isArray(shape) ? "other values" : nameOf(shape);
    throw invalidField(
      `${field}.shape`,
      `must be a list of whole numbers from 0, of 32 at most; found ${found}`,
    );
  }
  if (countElements(shape) === undefined) throw invalidField(field, describeWrongShape(shape));
  if (typeof datatype !== "string") {
    throw invalidField(`${field}.datatype`, `must be a name; found ${nameOf(datatype)}`);
  }
  if (!isTensorDatatype(datatype)) throw invalidField(field, describeWrongDatatype(datatype));
  const binarySize = readBinarySize(value, field);
  return { field, name, datatype, shape, binarySize, data: data ?? undefined };
}

function isShape(shape: unknown): shape is readonly number[] {
  return (
    Array.isArray(shape) &&
    shape.length <= 32 &&
    shape.every((size) => Number.isSafeInteger(size) && size >= 0)
  );
}

function readBinarySize({ parameters, data }: JsonObject, field: string): number | undefined {
  const known = readParameters(parameters, `${field}.parameters`);
  refuseSharedMemory(known, `${field}.parameters`);
  const size = known["binary_data_size"] ?? undefined;
  const hasData = data !== undefined && data !== null;
  if (size === undefined) {
    if (hasData) return undefined;
    throw invalidField(`${field}.data`, "is missing; send it, or binary_data_size as a parameter");
  }
  if (hasData) {
    const problem = "stands beside binary_data_size; send one of the two";
    throw invalidField(`${field}.data`, problem);
  }
  if (typeof size === "number" && Number.isSafeInteger(size) && size >= 0) return size;
  const problem = `must be a whole number from 0; found ${nameOf(size)}`;
  throw invalidField(`${field}.parameters.binary_data_size`, problem);
}

/** `parameters` of anything: an object, and an empty one where there are none. */
export function readParameters(parameters: unknown, field: string): JsonObject {
  if (parameters === undefined || parameters === null) return {};
  if (isJsonObject(parameters)) return parameters;
  throw invalidField(field, `must be an object; found ${nameOf(parameters)}`);
}

/** @throws SluiceError `invalid_argument` for tensors that are somewhere else than in the body */
export function refuseSharedMemory(parameters: JsonObject, field: string): void {
  if ((parameters["shared_memory_region"] ?? undefined) === undefined) return;
  const problem = "is not supported; send and receive tensors in the body";
  throw invalidField(`${field}.shared_memory_region`, problem);
}

function readFromJson(entry: Entry, exactData: () => unknown): Tensor {
  const { field, name, datatype, shape } = entry;
  const is64Bit = datatype === "INT64" || datatype === "UINT64";
  const data = is64Bit && holdsRounded(entry.data) ? exactData() : entry.data;
  const read = readData(data, shape, datatype);
  if ("problem" in read) throw invalidField(`${field}.data${read.path}`, read.problem);
  // Made for this datatype, which the compiler does not follow through a union.
  return { name, datatype, shape, data: read.data } as Tensor;
}

/** Whether there are numbers that may have had more digits. */
function holdsRounded(data: unknown): boolean {
  if (Array.isArray(data)) return data.some(holdsRounded);
  return typeof data === "number" && !Number.isSafeInteger(data);
}

function toExactData(json: JsonPart, list: string, index: number): () => unknown {
  return () => {
    const entries = json.exactFields()[list];
    const entry: unknown = Array.isArray(entries) ? entries[index] : undefined;
    return isJsonObject(entry) ? entry["data"] : undefined;
  };
}

function readFromBinary(entry: Entry, size: number, rest: Uint8Array): Tensor {
  if (size > rest.byteLength) {
    const found = `the body holds ${rest.byteLength} more behind its JSON`;
    const problem = `says ${size} bytes, but ${found}`;
    throw invalidField(`${entry.field}.parameters.binary_data_size`, problem);
  }
  const read = readRawTensor(entry, rest.subarray(0, size));
  if ("tensor" in read) return read.tensor;
  throw invalidField(entry.field, read.problem);
}
