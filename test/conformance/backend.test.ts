import { afterAll, beforeAll, describe } from "vitest";
import { createOnnxBackend } from "../../src/backends/onnx/create-onnx-backend.ts";
import { writeNgramClassifier } from "../../src/model-tools/onnx/write-ngram-classifier.ts";
import {
  createRandomNgramWeights,
  createRandomTexts,
  writeModelFile,
} from "../support/onnx-fixtures.ts";
import type { BackendUnderTest } from "./backend.ts";
import { describeBackend } from "./backend.ts";

const BUCKETS = 500;
const LABELS = 3;

describe("the embedded backend", () => {
  let model: Awaited<ReturnType<typeof writeModelFile>>;
  beforeAll(async () => {
    const weights = createRandomNgramWeights({
      seed: 7,
      buckets: BUCKETS,
      dimensions: 16,
      classes: LABELS,
      combiner: "mean",
      quantized: false,
    });
    model = await writeModelFile(writeNgramClassifier(weights));
  });
  afterAll(() => model.remove());

  for (const runtime of ["typescript", "onnxruntime"] as const) {
    for (const execution of ["inline", "workers"] as const) {
      describeBackend(`${runtime}, ${execution}`, async (): Promise<BackendUnderTest> => {
        const ids = createRandomTexts(3, { count: 12, maxLength: 30, buckets: BUCKETS });
        const texts = ids.map((text) => ({ ids: text, truncated: false }));
        const backend = await createOnnxBackend({
          modelPath: model.path,
          inputs: { ids: "ids", padId: 0 },
          outputs: { logits: "logits" },
          labelCount: LABELS,
          execution,
          runtime,
          workers: 2,
          threadsPerWorker: 1,
          inlineMaxRunMs: 0.2,
          warmup: texts,
        });
        const badText = { ids: Int32Array.of(1, BUCKETS), truncated: false };
        return { backend, labelCount: LABELS, texts, badText };
      });
    }
  }
});
