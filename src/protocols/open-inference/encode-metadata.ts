import type { TensorSignature, TensorSpec } from "../../core/ports/tensor.ts";

/** The extensions of the protocol that are spoken here, by the names that Triton gave them. */
export const EXTENSIONS = [
  "binary_tensor_data",
  "classification",
  "model_configuration",
  "model_repository",
  "schedule_policy",
  "statistics",
] as const;

/** What models are made of here. */
export const PLATFORM = "onnx_onnxv1";
/** A size that the caller chooses. */
const OPEN_SIZE = -1;

/** Body of `GET /v2`. */
export function encodeServerMetadata(name: string, version: string): string {
  return JSON.stringify({ name, version, extensions: EXTENSIONS });
}

/** What callers are told about a model. */
export interface ModelDescription {
  readonly name: string;
  /** All that can be asked. */
  readonly versions: readonly string[];
  readonly signature: TensorSignature;
  /** See `encodeModelProperties`. */
  readonly properties: Readonly<Record<string, string>>;
}

/** Body of `GET /v2/models/<model>`. Sizes that the caller chooses are -1. */
export function encodeModelMetadata(description: ModelDescription): string {
  const { name, versions, signature, properties } = description;
  return JSON.stringify({
    name,
    versions,
    platform: PLATFORM,
    inputs: signature.inputs.map(encodeSpec),
    outputs: signature.outputs.map(encodeSpec),
    properties,
  });
}

function encodeSpec({ name, datatype, shape, isOptional }: TensorSpec): object {
  const spec = { name, datatype, shape: toWireShape(shape) };
  return isOptional ? { ...spec, optional: true } : spec;
}

/** The protocol has no word for a tensor of any rank; one open size is what comes nearest. */
export function toWireShape(shape: TensorSpec["shape"]): readonly number[] {
  return shape?.map((size) => size ?? OPEN_SIZE) ?? [OPEN_SIZE];
}
