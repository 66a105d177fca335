import { create } from "@bufbuild/protobuf";
import { SluiceError } from "../../../core/errors.ts";
import type { TensorSignature, TensorSpec } from "../../../core/ports/tensor.ts";
import { isTensorDatatype } from "../../../core/tensors/tensor-data.ts";
import type {
  ModelMetadataResponse,
  ModelMetadataResponse_TensorMetadata,
} from "../../../generated/open_inference_pb.ts";
import { ModelMetadataResponseSchema } from "../../../generated/open_inference_pb.ts";
import { describeWrongDatatype } from "../raw-tensor.ts";

/** What a server says about a model. */
export interface ModelMetadata {
  readonly model: string;
  readonly versions: readonly string[];
  /** What runs it, e.g. `onnx_onnxv1`. */
  readonly platform: string;
  readonly signature: TensorSignature;
}

/** The size that stands for any size. */
const ANY_SIZE = -1n;

/** Writes metadata. A tensor of unknown rank is said to have one dimension of any size: the protocol has no other words. */
export function encodeModelMetadata(metadata: ModelMetadata): ModelMetadataResponse {
  const { model, versions, platform, signature } = metadata;
  return create(ModelMetadataResponseSchema, {
    name: model,
    versions: [...versions],
    platform,
    inputs: signature.inputs.map(encodeSpec),
    outputs: signature.outputs.map(encodeSpec),
  });
}

/**
 * Reads another server's metadata.
 *
 * @throws SluiceError `unavailable` when we cannot talk to that model: it has no inputs or outputs, or one of a datatype
 * that we do not know
 */
export function decodeModelMetadata(message: ModelMetadataResponse): ModelMetadata {
  const { name, versions, platform, inputs, outputs } = message;
  if (inputs.length === 0 || outputs.length === 0) throw unusable("it names no inputs or outputs");
  const signature = { inputs: inputs.map(decodeSpec), outputs: outputs.map(decodeSpec) };
  return { model: name, versions, platform, signature };
}

/** Sizes as messages have them: -1 for any. */
export function toSizes(shape: TensorSpec["shape"]): bigint[] {
  return (shape ?? [null]).map((size) => (size === null ? ANY_SIZE : BigInt(size)));
}

function encodeSpec({ name, datatype, shape }: TensorSpec) {
  return { name, datatype, shape: toSizes(shape) };
}

function decodeSpec(
  { name, datatype, shape }: ModelMetadataResponse_TensorMetadata,
  index: number,
): TensorSpec {
  if (!isTensorDatatype(datatype)) {
    throw unusable(`tensor ${index} ${describeWrongDatatype(datatype)}`);
  }
  return { name, datatype, shape: shape.map((size) => (size < 0n ? null : Number(size))) };
}

function unusable(problem: string): SluiceError {
  return new SluiceError(
    "unavailable",
    `The model of the other server cannot be used: ${problem}.`,
  );
}
