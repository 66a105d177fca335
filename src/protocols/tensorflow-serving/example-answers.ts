import { SluiceError } from "../../core/errors.ts";
import type { Tensor, TensorOf } from "../../core/ports/tensor.ts";
import { TEXT_OUTPUTS } from "../../core/tensors/text-signature.ts";

/** A class and its score. */
export interface Class {
  /** Empty when the model does not name its classes. */
  readonly label: string;
  readonly score: number;
}

/** Outputs that name the classes; TensorFlow's own models say `classes`. */
const LABEL_OUTPUTS: readonly string[] = [TEXT_OUTPUTS.labels, "classes"];

/**
 * The classes of each example, in the model's order, out of the outputs `scores` FP32 [n, classes] and, where there is
 * one, `labels` or `classes` BYTES [n, classes].
 *
 * @throws SluiceError `invalid_argument` when the model does not answer with classes
 */
export function toClassifications(outputs: readonly Tensor[]): readonly (readonly Class[])[] {
  const scores = outputs.find(isFloats(TEXT_OUTPUTS.scores)) ?? onlyFloats(outputs);
  const [rows, classes] = scores?.shape ?? [];
  if (scores?.shape.length !== 2 || rows === undefined || classes === undefined) {
    throw refusal("classify", "scores FP32 [n, classes]");
  }
  const labels = outputs.find(
    (tensor): tensor is TensorOf<"BYTES"> =>
      tensor.datatype === "BYTES" &&
      LABEL_OUTPUTS.includes(tensor.name) &&
      tensor.data.length === scores.data.length,
  );
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: classes }, (__, index) => {
      const at = row * classes + index;
      return { label: toLabel(labels?.data[at]), score: scores.data[at] ?? 0 };
    }),
  );
}

/**
 * The number of each example, out of an output of one number per example: `score`, `outputs`, or the only FP32 one.
 *
 * @throws SluiceError `invalid_argument` when the model does not answer with one number
 */
export function toRegressions(outputs: readonly Tensor[]): readonly number[] {
  const values =
    outputs.find(isFloats(TEXT_OUTPUTS.score)) ??
    outputs.find(isFloats("outputs")) ??
    onlyFloats(outputs);
  const [rows] = values?.shape ?? [];
  if (values === undefined || rows === undefined || values.data.length !== rows) {
    throw refusal("regress", "one number per example");
  }
  return [...values.data];
}

function isFloats(name: string): (tensor: Tensor) => tensor is TensorOf<"FP32"> {
  return (tensor): tensor is TensorOf<"FP32"> => tensor.name === name && tensor.datatype === "FP32";
}

function onlyFloats(outputs: readonly Tensor[]): TensorOf<"FP32"> | undefined {
  const floats = outputs.filter((tensor) => tensor.datatype === "FP32");
  return floats.length === 1 ? floats[0] : undefined;
}

function toLabel(label: string | Uint8Array | undefined): string {
  return typeof label === "object" ? Buffer.from(label).toString("utf8") : (label ?? "");
}

function refusal(verb: string, wanted: string): SluiceError {
  const message = `This model does not ${verb}: it does not answer with ${wanted}. Use predict.`;
  return new SluiceError("invalid_argument", message);
}
