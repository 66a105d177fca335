import { create } from "@bufbuild/protobuf";
import type { TensorDatatype, TensorSpec } from "../../../core/ports/tensor.ts";
import type { ModelConfig } from "../../../generated/open_inference_pb.ts";
import { DataType, ModelConfigSchema } from "../../../generated/open_inference_pb.ts";
import type { ModelMetadata } from "./model-metadata.ts";
import { toSizes } from "./model-metadata.ts";

export interface ModelConfigOptions extends Omit<ModelMetadata, "versions"> {
  /** E.g. `onnxruntime`. */
  readonly backend: string;
  /** Most rows of a request. Above 0, the first size of every tensor counts rows, and is left out of the config. */
  readonly maxBatchSize: number;
}

/** Writes a model's configuration in Triton's terms, as far as we have what they name. */
export function encodeModelConfig(options: ModelConfigOptions): ModelConfig {
  const { model, platform, backend, maxBatchSize, signature } = options;
  const firstSize = maxBatchSize > 0 ? 1 : 0;
  const toTensor = ({ name, datatype, shape }: TensorSpec) => ({
    name,
    dataType: DATA_TYPES[datatype],
    dims: toSizes(shape).slice(firstSize),
  });
  return create(ModelConfigSchema, {
    name: model,
    platform,
    backend,
    maxBatchSize,
    input: signature.inputs.map((spec) => ({
      ...toTensor(spec),
      optional: spec.isOptional === true,
    })),
    output: signature.outputs.map(toTensor),
  });
}

const DATA_TYPES: Readonly<Record<TensorDatatype, DataType>> = {
  BOOL: DataType.TYPE_BOOL,
  UINT8: DataType.TYPE_UINT8,
  UINT16: DataType.TYPE_UINT16,
  UINT32: DataType.TYPE_UINT32,
  UINT64: DataType.TYPE_UINT64,
  INT8: DataType.TYPE_INT8,
  INT16: DataType.TYPE_INT16,
  INT32: DataType.TYPE_INT32,
  INT64: DataType.TYPE_INT64,
  FP16: DataType.TYPE_FP16,
  FP32: DataType.TYPE_FP32,
  FP64: DataType.TYPE_FP64,
  BYTES: DataType.TYPE_STRING,
};
