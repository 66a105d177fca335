import type { TensorSignature, TensorSpec } from "../../core/ports/tensor.ts";
import { toTensorFlowType } from "./datatype.ts";
import { DEFAULT_SIGNATURE } from "./decode-predict.ts";

const OPEN_SIZE = "-1";
const PREDICT = "tensorflow/serving/predict";

/**
 * Body of `GET /v1/models/<model>/metadata`: JSON as Protocol Buffers make it, with sizes as texts.
 *
 * @param version as the dialect numbers it
 */
export function encodeMetadata(name: string, version: string, signature: TensorSignature): string {
  const definition = {
    inputs: toTensorInfos(signature.inputs),
    outputs: toTensorInfos(signature.outputs),
    method_name: PREDICT,
    defaults: {},
  };
  return JSON.stringify({
    model_spec: { name, signature_name: "", version },
    metadata: { signature_def: { signature_def: { [DEFAULT_SIGNATURE]: definition } } },
  });
}

function toTensorInfos(specs: readonly TensorSpec[]) {
  return Object.fromEntries(specs.map((spec) => [spec.name, toTensorInfo(spec)]));
}

function toTensorInfo({ name, datatype, shape }: TensorSpec) {
  const dim = (shape ?? []).map((size) => ({ size: size?.toString() ?? OPEN_SIZE, name: "" }));
  return {
    dtype: toTensorFlowType(datatype),
    tensor_shape: { dim, unknown_rank: shape === undefined },
    name: `${name}:0`,
  };
}
