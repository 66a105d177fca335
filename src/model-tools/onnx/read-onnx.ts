import { fromBinary } from "@bufbuild/protobuf";
import { SluiceError } from "../../core/errors.ts";
import type { ModelProto } from "../../generated/onnx_pb.ts";
import { ModelProtoSchema } from "../../generated/onnx_pb.ts";

/**
 * Reads a model file. Fields that `proto/onnx.proto` does not declare are kept and written again.
 * Weights are views of `bytes`, not copies.
 *
 * @throws SluiceError `invalid_argument` when the bytes are not an ONNX model with a graph.
 */
export function readOnnx(bytes: Uint8Array): ModelProto {
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new SluiceError("invalid_argument", "The file is not an ONNX model.", { cause });
  }
  if (model.graph === undefined) {
    throw new SluiceError("invalid_argument", "The ONNX model holds no graph.");
  }
  return model;
}
