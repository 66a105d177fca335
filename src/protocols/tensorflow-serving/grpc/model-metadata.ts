import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import { SluiceError } from "../../../core/errors.ts";
import type { TensorSignature, TensorSpec } from "../../../core/ports/tensor.ts";
import type { TensorInfo, TensorInfoSchema } from "../../../generated/tensorflow_pb.ts";
import type {
  GetModelMetadataRequest,
  GetModelMetadataResponse,
} from "../../../generated/tensorflow_serving_pb.ts";
import {
  GetModelMetadataResponseSchema,
  SignatureDefMapSchema,
} from "../../../generated/tensorflow_serving_pb.ts";
import { invalidField } from "../../invalid-field.ts";
import type { DecodedModelSpec, ModelSpecInit } from "./model-spec.ts";
import { decodeModelSpec, encodeModelSpec } from "./model-spec.ts";
import { fromDataType, toDataType } from "./tensor-type.ts";

/** The only kind of metadata that there is. */
const SIGNATURE_DEF = "signature_def";

/** A signature as TensorFlow Serving sees it. */
export interface NamedSignature extends TensorSignature {
  /** E.g. `serving_default`. */
  readonly signatureName: string;
  /** E.g. `tensorflow/serving/predict`. */
  readonly methodName: string;
}

/**
 * Reads which model is asked about.
 *
 * @throws SluiceError `invalid_argument` when something else than `signature_def` is asked for, or nothing
 */
export function decodeMetadataRequest(message: GetModelMetadataRequest): DecodedModelSpec {
  const { metadataField } = message;
  if (metadataField.length === 0 || metadataField.some((field) => field !== SIGNATURE_DEF)) {
    throw invalidField("metadata_field", `must be ${SIGNATURE_DEF}, the only one there is`);
  }
  return decodeModelSpec(message.modelSpec);
}

/** Writes a model's signatures. Sizes that the caller chooses are -1. */
export function encodeMetadataResponse(
  spec: ModelSpecInit,
  signatures: readonly NamedSignature[],
): GetModelMetadataResponse {
  const entries = signatures.map(({ signatureName, methodName, inputs, outputs }) => [
    signatureName,
    { inputs: encodeSpecs(inputs), outputs: encodeSpecs(outputs), methodName },
  ]);
  const map = create(SignatureDefMapSchema, { signatureDef: Object.fromEntries(entries) });
  return create(GetModelMetadataResponseSchema, {
    modelSpec: encodeModelSpec(spec),
    metadata: { [SIGNATURE_DEF]: anyPack(SignatureDefMapSchema, map) },
  });
}

/**
 * Reads another server's signatures.
 *
 * @throws SluiceError `unavailable` when there are none, or one has a datatype that we do not know
 */
export function decodeMetadataResponse({
  metadata,
}: GetModelMetadataResponse): readonly NamedSignature[] {
  const map = unpack(metadata);
  if (map === undefined) throw unusable("it has no signatures");
  return Object.entries(map.signatureDef).map(
    ([signatureName, { methodName, inputs, outputs }]) => ({
      signatureName,
      methodName,
      inputs: decodeSpecs(inputs),
      outputs: decodeSpecs(outputs),
    }),
  );
}

function unpack(metadata: GetModelMetadataResponse["metadata"]) {
  const any = metadata[SIGNATURE_DEF];
  try {
    return any && anyUnpack(any, SignatureDefMapSchema);
  } catch (error) {
    throw new SluiceError("unavailable", "The other server's signatures cannot be read.", {
      cause: error,
    });
  }
}

function encodeSpecs(
  specs: readonly TensorSpec[],
): Record<string, MessageInitShape<typeof TensorInfoSchema>> {
  return Object.fromEntries(
    specs.map(({ name, datatype, shape }) => [
      name,
      {
        // As a graph would call it: the first result of the node of that name.
        encoding: { case: "name" as const, value: `${name}:0` },
        dtype: toDataType(datatype),
        tensorShape: {
          unknownRank: shape === undefined,
          dim: (shape ?? []).map((size) => ({ size: size === null ? -1n : BigInt(size) })),
        },
      },
    ]),
  );
}

function decodeSpecs(infos: Readonly<Record<string, TensorInfo>>): readonly TensorSpec[] {
  return Object.entries(infos).map(([name, { dtype, tensorShape }], index) => {
    const type = fromDataType(dtype);
    if ("problem" in type) throw unusable(`tensor ${index} ${type.problem}`);
    const isKnown = tensorShape !== undefined && !tensorShape.unknownRank;
    const shape = isKnown
      ? tensorShape.dim.map(({ size }) => (size < 0n ? null : Number(size)))
      : undefined;
    return { name, datatype: type.datatype, shape };
  });
}

function unusable(problem: string): SluiceError {
  return new SluiceError(
    "unavailable",
    `The model of the other server cannot be used: ${problem}.`,
  );
}
