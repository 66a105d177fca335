import { create } from "@bufbuild/protobuf";
import type { Tensor } from "../../../core/ports/tensor.ts";
import type { TensorProto } from "../../../generated/tensorflow_pb.ts";
import type { PredictRequest, PredictResponse } from "../../../generated/tensorflow_serving_pb.ts";
import { PredictResponseSchema } from "../../../generated/tensorflow_serving_pb.ts";
import { invalidField, toInputField } from "../../invalid-field.ts";
import { encodeTensorProto } from "./encode-tensor-proto.ts";
import type { DecodedModelSpec, ModelSpecInit } from "./model-spec.ts";
import { decodeModelSpec, encodeModelSpec } from "./model-spec.ts";
import { MAX_FILL_BYTES, readTensorProto } from "./read-tensor-proto.ts";

/** A `PredictRequest` in the core's terms. */
export interface DecodedPredictRequest extends DecodedModelSpec {
  readonly inputs: readonly Tensor[];
  /** Names of outputs; `undefined` = all. */
  readonly outputs: readonly string[] | undefined;
}

/** What a model answered, and to what. */
export interface PredictAnswer extends ModelSpecInit {
  readonly outputs: readonly Tensor[];
}

/** Far more than any model has. */
const MAX_TENSORS = 1024;

/**
 * Reads a request. That the tensors fit the model is the core's to check.
 *
 * @throws SluiceError `invalid_argument`, naming the field
 */
export function decodePredictRequest(message: PredictRequest): DecodedPredictRequest {
  const { modelSpec, inputs, outputFilter } = message;
  const spec = decodeModelSpec(modelSpec);
  if (outputFilter.length > MAX_TENSORS) {
    throw invalidField("output_filter", `names more than ${MAX_TENSORS} outputs`);
  }
  return {
    ...spec,
    inputs: decodeTensors(inputs),
    outputs: outputFilter.length === 0 ? undefined : outputFilter,
  };
}

/** Writes an answer. */
export function encodePredictResponse(answer: PredictAnswer): PredictResponse {
  const outputs = answer.outputs.map((tensor) => [tensor.name, encodeTensorProto(tensor)]);
  return create(PredictResponseSchema, {
    modelSpec: encodeModelSpec(answer),
    outputs: Object.fromEntries(outputs),
  });
}

function decodeTensors(protos: Readonly<Record<string, TensorProto>>): readonly Tensor[] {
  const entries = Object.entries(protos);
  if (entries.length > MAX_TENSORS) {
    throw invalidField("inputs", `are ${entries.length}; send at most ${MAX_TENSORS}`);
  }
  const allowance = { bytes: MAX_FILL_BYTES };
  return entries.map(([name, proto]) => {
    const read = readTensorProto(name, proto, allowance);
    if ("problem" in read) throw invalidField(toInputField(name), read.problem);
    return read.tensor;
  });
}
