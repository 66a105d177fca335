import { toBinary } from "@bufbuild/protobuf";
import type { ModelProto } from "../../src/generated/onnx_pb.ts";
import { ModelProtoSchema } from "../../src/generated/onnx_pb.ts";
import { readOnnx } from "../../src/model-tools/onnx/read-onnx.ts";

/** The model with one weight of the float tensor `name` that is not a number. */
export function breakWeights(bytes: Uint8Array, name: string): Uint8Array {
  return change(bytes, (model) => {
    const tensor = model.graph?.initializer.find((candidate) => candidate.name === name);
    if (tensor === undefined) throw new Error(`The graph has no constant ${name}.`);
    tensor.rawData = new Uint8Array(tensor.rawData);
    new DataView(tensor.rawData.buffer).setFloat32(0, Number.NaN, true);
  });
}

/** The model with a claim that it needs operators of the set `version`. */
export function raiseOpset(bytes: Uint8Array, version: number): Uint8Array {
  return change(bytes, (model) => {
    for (const opset of model.opsetImport) {
      if (opset.domain === "") opset.version = BigInt(version);
    }
  });
}

function change(bytes: Uint8Array, edit: (model: ModelProto) => void): Uint8Array {
  const model = readOnnx(bytes);
  edit(model);
  return toBinary(ModelProtoSchema, model);
}
