import { create } from "@bufbuild/protobuf";
import type {
  MultiInferenceRequest,
  MultiInferenceResponse,
} from "../../../generated/tensorflow_serving_pb.ts";
import { MultiInferenceResponseSchema } from "../../../generated/tensorflow_serving_pb.ts";
import { invalidField } from "../../invalid-field.ts";
import type { Class } from "../example-answers.ts";
import type { Examples } from "../example-tensors.ts";
import { toClassificationResult, toRegressionResult } from "./classify.ts";
import { decodeExamples } from "./decode-examples.ts";
import type { DecodedModelSpec, ModelSpecInit } from "./model-spec.ts";
import { decodeModelSpec, encodeModelSpec } from "./model-spec.ts";

/** One of several questions about the same examples. */
export interface InferenceTask extends DecodedModelSpec {
  readonly method: "classify" | "regress";
}

export interface DecodedMultiInference extends Examples {
  readonly tasks: readonly InferenceTask[];
}

/** The answer to one task. */
export type TaskAnswer = ModelSpecInit &
  (
    | { readonly classifications: readonly (readonly Class[])[] }
    | { readonly regressions: readonly number[] }
  );

/** Each runs a model on all examples. */
const MAX_TASKS = 16;
const METHODS: ReadonlyMap<string, InferenceTask["method"]> = new Map([
  ["tensorflow/serving/classify", "classify"],
  ["tensorflow/serving/regress", "regress"],
]);

/**
 * Reads several questions about the same examples.
 *
 * @throws SluiceError `invalid_argument`, naming the field
 */
export function decodeMultiInference({
  tasks,
  input,
}: MultiInferenceRequest): DecodedMultiInference {
  if (tasks.length === 0 || tasks.length > MAX_TASKS) {
    throw invalidField("tasks", `must be 1 to ${MAX_TASKS}; found ${tasks.length}`);
  }
  const decoded = tasks.map(({ modelSpec, methodName }, index) => {
    const field = `tasks[${index}]`;
    const method = METHODS.get(methodName);
    if (method === undefined) {
      const known = [...METHODS.keys()].join(" or ");
      throw invalidField(`${field}.method_name`, `must be ${known}`);
    }
    return { ...decodeModelSpec(modelSpec, `${field}.model_spec`), method };
  });
  return { tasks: decoded, ...decodeExamples(input) };
}

/** Writes the answers, in the order of their tasks. */
export function encodeMultiInference(answers: readonly TaskAnswer[]): MultiInferenceResponse {
  const results = answers.map((answer) => ({
    modelSpec: encodeModelSpec(answer),
    result:
      "classifications" in answer
        ? {
            case: "classificationResult" as const,
            value: toClassificationResult(answer.classifications),
          }
        : { case: "regressionResult" as const, value: toRegressionResult(answer.regressions) },
  }));
  return create(MultiInferenceResponseSchema, { results });
}
