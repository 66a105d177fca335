import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type {
  ClassificationRequest,
  ClassificationResponse,
  ClassificationResultSchema,
  RegressionRequest,
  RegressionResponse,
  RegressionResultSchema,
} from "../../../generated/tensorflow_serving_pb.ts";
import {
  ClassificationResponseSchema,
  RegressionResponseSchema,
} from "../../../generated/tensorflow_serving_pb.ts";
import type { Class } from "../example-answers.ts";
import type { Examples } from "../example-tensors.ts";
import { decodeExamples } from "./decode-examples.ts";
import type { DecodedModelSpec, ModelSpecInit } from "./model-spec.ts";
import { decodeModelSpec, encodeModelSpec } from "./model-spec.ts";

/** A `ClassificationRequest` or `RegressionRequest`; `toExampleTensors` makes tensors of it once the model is known. */
export type DecodedExampleRequest = DecodedModelSpec & Examples;

/**
 * Reads a request for classes, or for numbers.
 *
 * @throws SluiceError `invalid_argument`, naming the field
 */
export function decodeExampleRequest(
  message: ClassificationRequest | RegressionRequest,
): DecodedExampleRequest {
  return { ...decodeModelSpec(message.modelSpec), ...decodeExamples(message.input) };
}

/** Writes the classes of each example. */
export function encodeClassificationResponse(
  spec: ModelSpecInit,
  results: readonly (readonly Class[])[],
): ClassificationResponse {
  return create(ClassificationResponseSchema, {
    modelSpec: encodeModelSpec(spec),
    result: toClassificationResult(results),
  });
}

/** Writes the number of each example. */
export function encodeRegressionResponse(
  spec: ModelSpecInit,
  values: readonly number[],
): RegressionResponse {
  return create(RegressionResponseSchema, {
    modelSpec: encodeModelSpec(spec),
    result: toRegressionResult(values),
  });
}

/** Classes as messages have them. */
export function toClassificationResult(
  results: readonly (readonly Class[])[],
): MessageInitShape<typeof ClassificationResultSchema> {
  return { classifications: results.map((classes) => ({ classes: [...classes] })) };
}

/** Numbers as messages have them. */
export function toRegressionResult(
  values: readonly number[],
): MessageInitShape<typeof RegressionResultSchema> {
  return { regressions: values.map((value) => ({ value })) };
}
