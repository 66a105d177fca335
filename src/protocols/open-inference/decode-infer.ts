import type { Tensor, TensorSignature } from "../../core/ports/tensor.ts";
import { assertInputNames } from "../../core/tensors/check-request.ts";
import { invalidField } from "../invalid-field.ts";
import { nameOf } from "../native/field-reader.ts";
import type { InferParameters } from "./infer-parameters.ts";
import { decodeInferParameters } from "./infer-parameters.ts";
import { isJsonObject, parseJsonPart } from "./parse-json-part.ts";
import { readRawRequest } from "./read-raw-request.ts";
import {
  MAX_TENSORS,
  readParameters,
  readWireTensors,
  refuseSharedMemory,
} from "./read-wire-tensors.ts";
import { splitBody } from "./split-body.ts";

/** An output that the caller asked for by name. */
export interface RequestedOutput {
  readonly name: string;
  /** Whether it goes into the binary part; undefined: as the request says for all of them. */
  readonly binary: boolean | undefined;
  /** How many of the best classes to answer with instead of the numbers, 1 or more. */
  readonly classification: number | undefined;
}

/** Body of `POST /v2/models/<model>/infer`. */
export interface DecodedInfer {
  /** To be sent back; undefined when it was empty. */
  readonly id: string | undefined;
  readonly parameters: InferParameters;
  /** Named as the model names them. That they fit it otherwise is the core's to check. */
  readonly inputs: readonly Tensor[];
  /** `undefined` = all that the model answers unasked. Not held against the model. */
  readonly outputs: readonly RequestedOutput[] | undefined;
}

/** What the server allows. */
export interface DecodeInferLimits {
  readonly maxJsonDepth: number;
}

/**
 * Decodes an inference request: JSON, JSON with a binary part, or the raw bytes of the one input. Members of the JSON
 * that the protocol does not have are left out; null stands for nothing.
 *
 * Source: https://github.com/kserve/open-inference-protocol, "Inference Request JSON Object", and
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 *
 * @param headerLength value of the header `Inference-Header-Content-Length`
 * @param signature of the model, for the names of its inputs and the shape of a raw one
 * @throws SluiceError `invalid_argument` that names what is wrong
 */
export function decodeInfer(
  body: Uint8Array,
  headerLength: string | undefined,
  signature: TensorSignature,
  { maxJsonDepth }: DecodeInferLimits,
): DecodedInfer {
  const { json, binary } = splitBody(body, headerLength);
  if (json === undefined) return toRawInfer(readRawRequest(binary, signature));
  const part = parseJsonPart(json, maxJsonDepth);
  const { fields } = part;
  const id = decodeId(fields["id"]);
  const parameters = decodeInferParameters(fields["parameters"]);
  const outputs = decodeOutputs(fields["outputs"]);
  const inputs = toModelInputs(readWireTensors(part, "inputs", binary), signature);
  assertInputNames(
    inputs.map(({ name }) => name),
    signature,
  );
  return { id, parameters, inputs, outputs };
}

/** Whether the caller wants an output in the binary part. */
export function wantsBinary({ outputs, parameters }: DecodedInfer, name: string): boolean {
  const requested = outputs?.find((output) => output.name === name);
  return requested?.binary ?? parameters.binaryDataOutput;
}

function toRawInfer(input: Tensor): DecodedInfer {
  const parameters = { ...decodeInferParameters(undefined), binaryDataOutput: true };
  return { id: undefined, parameters, inputs: [input], outputs: undefined };
}

function decodeId(id: unknown): string | undefined {
  if (id === undefined || id === null || id === "") return undefined;
  if (typeof id === "string") return id;
  throw invalidField("id", `must be a string; found ${nameOf(id)}`);
}

function decodeOutputs(value: unknown): readonly RequestedOutput[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || value.length > MAX_TENSORS) {
    const problem = `must be a list of up to ${MAX_TENSORS} outputs; found ${nameOf(value)}`;
    throw invalidField("outputs", problem);
  }
  if (value.length === 0) return undefined;
  return value.map((output, index) => decodeOutput(output, `outputs[${index}]`));
}

function decodeOutput(value: unknown, field: string): RequestedOutput {
  if (!isJsonObject(value)) {
    throw invalidField(field, `must be an object with a name; found ${nameOf(value)}`);
  }
  const { name } = value;
  if (typeof name !== "string") {
    throw invalidField(`${field}.name`, `must be a name; found ${nameOf(name)}`);
  }
  const parameters = readParameters(value["parameters"], `${field}.parameters`);
  refuseSharedMemory(parameters, `${field}.parameters`);
  const binary = parameters["binary_data"] ?? undefined;
  if (binary !== undefined && typeof binary !== "boolean") {
    const problem = `must be true or false; found ${nameOf(binary)}`;
    throw invalidField(`${field}.parameters.binary_data`, problem);
  }
  const classification = decodeClassCount(parameters["classification"], field);
  return { name, binary, classification };
}

export function decodeClassCount(value: unknown, field: string): number | undefined {
  if (value === undefined || value === null || value === 0) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  const problem = `must be a whole number of classes; found ${nameOf(value)}`;
  throw invalidField(`${field}.parameters.classification`, problem);
}

/**
 * A model that needs nothing but one list of texts gets it under any name, because clients made for other servers send
 * it under theirs.
 */
export function toModelInputs(
  inputs: readonly Tensor[],
  signature: TensorSignature,
): readonly Tensor[] {
  const needed = signature.inputs.filter(({ isOptional }) => !isOptional);
  const [spec] = needed;
  const [input] = inputs;
  if (needed.length !== 1 || spec?.datatype !== "BYTES") return inputs;
  if (inputs.length !== 1 || input?.datatype !== "BYTES") return inputs;
  const isKnown = signature.inputs.some(({ name }) => name === input.name);
  return isKnown ? inputs : [{ ...input, name: spec.name }];
}
