import { create } from "@bufbuild/protobuf";
import { SluiceError } from "../../../core/errors.ts";
import type { Tensor } from "../../../core/ports/tensor.ts";
import type {
  ModelInferRequest,
  ModelInferResponse,
} from "../../../generated/open_inference_pb.ts";
import { ModelInferRequestSchema } from "../../../generated/open_inference_pb.ts";
import { encodeRawTensor, readRawTensor } from "../raw-tensor.ts";
import { toHead } from "./encode-infer-response.ts";
import type { Parameters } from "./parameters.ts";
import { decodeParameters, encodeParameters } from "./parameters.ts";
import { readTypedContents } from "./tensor-contents.ts";

/** What to ask another server. */
export interface RemoteQuestion {
  readonly model: string;
  /** Left out: that server chooses. */
  readonly version?: string;
  readonly id?: string;
  readonly parameters?: Parameters;
  readonly inputs: readonly Tensor[];
  /** Names; left out: all of them. */
  readonly outputs?: readonly string[];
}

/** What another server answered. */
export interface RemoteAnswer {
  readonly model: string;
  /** Empty when that server does not say. */
  readonly version: string;
  readonly id: string;
  readonly parameters: Parameters;
  readonly outputs: readonly Tensor[];
}

/** Writes a request to another server, with raw contents: views of the inputs, except for BYTES. */
export function encodeInferRequest(question: RemoteQuestion): ModelInferRequest {
  const { model, version = "", id = "", parameters, inputs, outputs = [] } = question;
  return create(ModelInferRequestSchema, {
    modelName: model,
    modelVersion: version,
    id,
    parameters: encodeParameters(parameters),
    inputs: inputs.map(toHead),
    outputs: outputs.map((name) => ({ name })),
    rawInputContents: inputs.map(encodeRawTensor),
  });
}

/**
 * Reads another server's answer, raw or typed.
 *
 * @throws SluiceError `unavailable` when it is none that can be read
 */
export function decodeInferResponse(message: ModelInferResponse): RemoteAnswer {
  const { modelName, modelVersion, id, parameters, outputs, rawOutputContents } = message;
  const isRaw = rawOutputContents.length > 0;
  if (isRaw && rawOutputContents.length !== outputs.length) {
    throw unreadable(`raw_output_contents has ${rawOutputContents.length} entries`);
  }
  return {
    model: modelName,
    version: modelVersion,
    id,
    parameters: decodeParameters(parameters),
    outputs: outputs.map(({ name, datatype, shape, contents }, index) => {
      const head = { name, datatype, shape: shape.map(Number) };
      const raw = rawOutputContents[index];
      const read = raw === undefined ? readTypedContents(head, contents) : readRawTensor(head, raw);
      if ("problem" in read) throw unreadable(`output ${index} ${read.problem}`);
      return read.tensor;
    }),
  };
}

function unreadable(problem: string): SluiceError {
  const message = `The model's server answers in no way that this one reads: ${problem}.`;
  return new SluiceError("unavailable", message);
}
