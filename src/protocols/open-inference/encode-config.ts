import type { TensorDatatype, TensorSignature, TensorSpec } from "../../core/ports/tensor.ts";
import { toWireShape } from "./encode-metadata.ts";

/** The names of Triton's model configuration. */
const CONFIG_DATATYPE = {
  BOOL: "TYPE_BOOL",
  UINT8: "TYPE_UINT8",
  UINT16: "TYPE_UINT16",
  UINT32: "TYPE_UINT32",
  UINT64: "TYPE_UINT64",
  INT8: "TYPE_INT8",
  INT16: "TYPE_INT16",
  INT32: "TYPE_INT32",
  INT64: "TYPE_INT64",
  FP16: "TYPE_FP16",
  FP32: "TYPE_FP32",
  FP64: "TYPE_FP64",
  BYTES: "TYPE_STRING",
} as const satisfies Record<TensorDatatype, string>;

/**
 * Body of `GET /v2/models/<model>/config`. Shapes are whole, so `max_batch_size` is 0: rows of any number that the shapes
 * allow may be sent.
 *
 * Source: https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_configuration.md
 */
export function encodeConfig(
  name: string,
  { inputs, outputs }: TensorSignature,
  parameters: Readonly<Record<string, string>>,
): string {
  const entries = Object.entries(parameters).map(
    ([key, value]) => [key, { string_value: value }] as const,
  );
  return JSON.stringify({
    name,
    platform: "onnxruntime_onnx",
    backend: "onnxruntime",
    max_batch_size: 0,
    input: inputs.map((spec) => ({ ...encodeSpec(spec), optional: spec.isOptional === true })),
    output: outputs.map(encodeSpec),
    default_model_filename: "model.onnx",
    parameters: Object.fromEntries(entries),
  });
}

function encodeSpec({ name, datatype, shape }: TensorSpec): object {
  return { name, data_type: CONFIG_DATATYPE[datatype], dims: toWireShape(shape) };
}
