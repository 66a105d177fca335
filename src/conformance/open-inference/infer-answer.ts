import type { JsonObject } from "../judge.ts";
import { describeAnswer, isObject, readObject } from "../judge.ts";
import type { RawAnswer } from "../raw-http.ts";
import { countElements, isDatatype, itemBytesOf, readElements } from "./sample-inputs.ts";
import { isShape } from "./server.ts";

/** An output of which everything was checked. */
export interface OutputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** Flat; undefined for bytes of a datatype that is not decoded here. */
  readonly data: readonly unknown[] | undefined;
  readonly isBinary: boolean;
}

/** A good answer, or what is wrong with it. */
export type InferAnswer =
  | { readonly problem: string }
  | { readonly problem?: never; readonly json: JsonObject; readonly outputs: OutputTensor[] };

/** Reads an answer to `infer`, in JSON or with binary outputs, and checks that it holds together. */
export function readInferAnswer(answer: RawAnswer): InferAnswer {
  if (answer.status !== 200) return { problem: describeAnswer(answer) };
  const header = answer.headers["inference-header-content-length"];
  const jsonBytes = header === undefined ? answer.body.length : Number(header);
  if (!Number.isInteger(jsonBytes) || jsonBytes < 0 || jsonBytes > answer.body.length) {
    return { problem: `Inference-Header-Content-Length ${header} of ${answer.body.length} bytes` };
  }
  const json = readObject({ ...answer, body: answer.body.subarray(0, jsonBytes) });
  if (json === undefined) return { problem: `no JSON object: ${describeAnswer(answer)}` };
  if (typeof json["model_name"] !== "string") return { problem: "no model_name" };
  const listed = json["outputs"];
  if (!Array.isArray(listed) || listed.length === 0) return { problem: "no outputs" };
  const outputs: OutputTensor[] = [];
  let at = jsonBytes;
  for (const one of listed) {
    const size = isObject(one) ? binarySizeOf(one) : undefined;
    const output = readOutput(one, size, answer.body.subarray(at, at + (size ?? 0)));
    if (typeof output === "string") return { problem: output };
    outputs.push(output);
    at += size ?? 0;
  }
  if (at !== answer.body.length) {
    return { problem: `${answer.body.length - at} bytes left over behind the outputs` };
  }
  return { json, outputs };
}

function binarySizeOf(output: JsonObject): number | undefined {
  const parameters = output["parameters"];
  const size = isObject(parameters) ? parameters["binary_data_size"] : undefined;
  return typeof size === "number" ? size : undefined;
}

function readOutput(
  output: unknown,
  binarySize: number | undefined,
  bytes: Buffer,
): OutputTensor | string {
  if (!isObject(output) || typeof output["name"] !== "string") return "an output without a name";
  const { name, datatype, shape } = output;
  if (typeof datatype !== "string" || !isDatatype(datatype)) {
    return `output ${name}: no datatype of the protocol`;
  }
  if (!isShape(shape) || shape.includes(-1)) {
    return `output ${name}: shape ${JSON.stringify(shape)}`;
  }
  const count = countElements(shape);
  if (binarySize === undefined) {
    const data = Array.isArray(output["data"]) ? output["data"].flat(Infinity) : undefined;
    return data?.length === count
      ? { name, datatype, shape, data, isBinary: false }
      : `output ${name}: ${data?.length ?? "no"} elements in data for shape ${JSON.stringify(shape)}`;
  }
  if (output["data"] !== undefined && output["data"] !== null) {
    return `output ${name}: both data and binary_data_size`;
  }
  const data = readElements(datatype, bytes);
  const itemBytes = itemBytesOf(datatype);
  const isWhole =
    bytes.length === binarySize &&
    (itemBytes === undefined ? data?.length === count : binarySize === count * itemBytes);
  return isWhole
    ? { name, datatype, shape, data, isBinary: true }
    : `output ${name}: ${binarySize} bytes for ${datatype} ${JSON.stringify(shape)}, ${bytes.length} of them there`;
}

/** What differs between two answers to the same question; floats may differ a little. */
export function findDifference(
  left: readonly OutputTensor[],
  right: readonly OutputTensor[],
): string | undefined {
  for (const output of left) {
    const other = right.find(({ name }) => name === output.name);
    if (other === undefined) return `output ${output.name} is missing`;
    if (JSON.stringify(other.shape) !== JSON.stringify(output.shape)) {
      return `output ${output.name} has shape ${JSON.stringify(other.shape)} instead of ${JSON.stringify(output.shape)}`;
    }
    const place = (output.data ?? []).findIndex(
      (element, at) => other.data !== undefined && !isClose(element, other.data[at]),
    );
    if (place >= 0) return `output ${output.name} differs at element ${place}`;
  }
  return undefined;
}

function isClose(left: unknown, right: unknown): boolean {
  if (typeof left !== "number" || typeof right !== "number") return left === right;
  return Object.is(left, right) || Math.abs(left - right) <= 1e-3 * Math.max(1, Math.abs(left));
}
