import type { Tensor } from "../../../core/ports/tensor.ts";
import type {
  ModelInferRequest,
  ModelInferRequest_InferInputTensor,
} from "../../../generated/open_inference_pb.ts";
import { invalidField, toInputField } from "../../invalid-field.ts";
import { readRawTensor } from "../raw-tensor.ts";
import { MAX_TENSORS } from "../read-wire-tensors.ts";
import type { Parameters } from "./parameters.ts";
import { decodeParameters } from "./parameters.ts";
import { hasTypedContents, readTypedContents } from "./tensor-contents.ts";

/** An output that the caller wants. */
export interface RequestedOutput {
  readonly name: string;
  readonly parameters: Parameters;
}

/** A `ModelInferRequest` in the core's terms. */
export interface DecodedInferRequest {
  readonly model: string;
  /** `undefined` = the server chooses. */
  readonly version: string | undefined;
  /** To be sent back; empty when the caller sent none. */
  readonly id: string;
  readonly parameters: Parameters;
  readonly inputs: readonly Tensor[];
  /** `undefined` = all. */
  readonly outputs: readonly RequestedOutput[] | undefined;
  /** Whether inputs came raw; then the outputs go out raw too. */
  readonly isRaw: boolean;
}

/** How Triton's clients say that a tensor is not in the message. */
const SHARED_MEMORY = "shared_memory_region";

/**
 * Reads a request for inference. That the tensors fit the model is the core's to check. Raw contents become views of
 * the message where they are aligned.
 *
 * @throws SluiceError `invalid_argument`, naming the field
 */
export function decodeInferRequest(message: ModelInferRequest): DecodedInferRequest {
  const { modelName, modelVersion, id, inputs, outputs, rawInputContents } = message;
  if (modelName === "") throw invalidField("model_name", "is empty; send the name of a model");
  assertFewEnough("inputs", inputs.length);
  assertFewEnough("outputs", outputs.length);
  const isRaw = rawInputContents.length > 0;
  if (isRaw) assertOnlyRaw(message);
  return {
    model: modelName,
    version: modelVersion === "" ? undefined : modelVersion,
    id,
    parameters: decodeParameters(message.parameters),
    inputs: inputs.map((input, index) => decodeInput(input, rawInputContents[index])),
    outputs: outputs.length === 0 ? undefined : outputs.map(decodeOutput),
    isRaw,
  };
}

function assertFewEnough(field: string, count: number): void {
  if (count > MAX_TENSORS) throw invalidField(field, `are ${count}; send at most ${MAX_TENSORS}`);
}

function assertOnlyRaw({ inputs, rawInputContents: { length } }: ModelInferRequest): void {
  const typed = inputs.find(({ contents }) => hasTypedContents(contents));
  if (typed !== undefined) {
    const problem = "has contents beside raw_input_contents; send all inputs one way";
    throw invalidField(toInputField(typed.name), problem);
  }
  if (length !== inputs.length) {
    const problem = `has ${length} entries for ${inputs.length} inputs; send one for each`;
    throw invalidField("raw_input_contents", problem);
  }
}

function decodeInput(
  input: ModelInferRequest_InferInputTensor,
  raw: Uint8Array | undefined,
): Tensor {
  const { name, datatype, parameters, contents } = input;
  assertNotShared(toInputField(name), parameters);
  const head = { name, datatype, shape: input.shape.map(Number) };
  const read = raw === undefined ? readTypedContents(head, contents) : readRawTensor(head, raw);
  if ("problem" in read) throw invalidField(toInputField(name), read.problem);
  return read.tensor;
}

function decodeOutput(
  { name, parameters }: ModelInferRequest["outputs"][number],
  index: number,
): RequestedOutput {
  assertNotShared(`outputs[${index}]`, parameters);
  return { name, parameters: decodeParameters(parameters) };
}

function assertNotShared(field: string, parameters: Readonly<Record<string, unknown>>): void {
  if (!Object.hasOwn(parameters, SHARED_MEMORY)) return;
  const problem = "is in shared memory, which is not supported; send tensors in the message";
  throw invalidField(field, problem);
}
