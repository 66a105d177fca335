import type { NgramClassifierWeights } from "../onnx/write-ngram-classifier.ts";
import type { BagModel } from "./bag-model.ts";
import { quantizeRows } from "./quantize-rows.ts";

/** From this many dimensions on a row of bytes and its scale are smaller than a row of floats. */
const SMALLEST_QUANTIZED_DIMENSIONS = 2;

/** The form in which a model is written to its file: the smaller of floats and bytes with a scale per row. */
export function toPackageWeights(model: BagModel): NgramClassifierWeights {
  if (model.dimensions < SMALLEST_QUANTIZED_DIMENSIONS) return model;
  return { ...model, embeddings: quantizeRows(model.embeddings, model.dimensions) };
}

/** The model as a server will see it after {@link toPackageWeights}: what evaluations must measure. */
export function toServedModel(model: BagModel): BagModel {
  const { embeddings } = toPackageWeights(model);
  if (embeddings instanceof Float32Array) return model;
  const { values, rowScales } = embeddings;
  const restored = Float32Array.from(
    values,
    (value, at) => value * (rowScales[Math.floor(at / model.dimensions)] ?? 0),
  );
  return { ...model, embeddings: restored };
}
