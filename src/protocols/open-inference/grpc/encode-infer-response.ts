import { create } from "@bufbuild/protobuf";
import type { Tensor } from "../../../core/ports/tensor.ts";
import type { ModelInferResponse } from "../../../generated/open_inference_pb.ts";
import { ModelInferResponseSchema } from "../../../generated/open_inference_pb.ts";
import { encodeRawTensor } from "../raw-tensor.ts";
import type { Parameters } from "./parameters.ts";
import { encodeParameters } from "./parameters.ts";
import { hasTypedForm, toTypedContents } from "./tensor-contents.ts";

/** What a model answered. */
export interface InferAnswer {
  readonly model: string;
  readonly version: string | undefined;
  /** The request's own. */
  readonly id?: string;
  readonly parameters?: Parameters;
  readonly outputs: readonly Tensor[];
}

/**
 * Writes an answer: raw when the request was, typed otherwise. With an FP16 output all go out raw, because FP16 has no
 * typed form and one message cannot have both. Raw contents are views of the outputs, except for BYTES.
 */
export function encodeInferResponse(answer: InferAnswer, isRaw: boolean): ModelInferResponse {
  const { model, version = "", id = "", parameters, outputs } = answer;
  const goesRaw = isRaw || !outputs.every(hasTypedForm);
  return create(ModelInferResponseSchema, {
    modelName: model,
    modelVersion: version,
    id,
    parameters: encodeParameters(parameters),
    outputs: outputs.map((tensor) => {
      const head = toHead(tensor);
      const contents = goesRaw ? undefined : toTypedContents(tensor);
      return contents === undefined ? head : { ...head, contents };
    }),
    rawOutputContents: goesRaw ? outputs.map(encodeRawTensor) : [],
  });
}

/** Name, datatype and shape as messages have them. */
export function toHead({ name, datatype, shape }: Tensor) {
  return { name, datatype, shape: shape.map(BigInt) };
}
