import { toBinary } from "@bufbuild/protobuf";
import type { ModelProto } from "../../src/generated/onnx_pb.ts";
import { ModelProtoSchema } from "../../src/generated/onnx_pb.ts";
import type { EncoderConfig, EncoderHead } from "../../src/model-tools/onnx/encoder-config.ts";
import { buildEncoderModel } from "../../src/model-tools/onnx/encoder-graph.ts";
import { createSeededWeights } from "../../src/model-tools/onnx/seeded-weights.ts";
import { createRandom } from "../../src/model-tools/train/random.ts";

/** Small enough to run hundreds of texts in a unit test. */
export const SMALL_ENCODER: EncoderConfig = {
  vocabSize: 300,
  hiddenSize: 48,
  layers: 2,
  heads: 4,
  intermediateSize: 96,
  maxPositions: 64,
  typeVocabSize: 2,
  layerNormEpsilon: 1e-12,
};

const CLASSIFIER: EncoderHead = { kind: "classification", labels: 3 };

/** A transformer with made-up weights, some channels larger than the rest; its logits differ from text to text. */
export function createSmallEncoder(head: EncoderHead = CLASSIFIER): ModelProto {
  const seeded = createSeededWeights(SMALL_ENCODER, head, 5);
  return buildEncoderModel({
    config: SMALL_ENCODER,
    head,
    weights: (name) => {
      const tensor = seeded(name);
      if (tensor === undefined || name.includes("LayerNorm")) return tensor;
      // Weights as small as those of a new model hardly tell texts apart.
      return { shape: tensor.shape, values: tensor.values.map((value) => 8 * value) };
    },
  });
}

export function createSmallEncoderBytes(head?: EncoderHead): Uint8Array {
  return toBinary(ModelProtoSchema, createSmallEncoder(head));
}

/** Texts as ids below `SMALL_ENCODER.vocabSize`, of 3 to 32 ids. */
export function createIdTexts(count: number, seed: number): Int32Array[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () =>
    Int32Array.from({ length: 3 + Math.floor(random() * 30) }, () => Math.floor(random() * 300)),
  );
}
