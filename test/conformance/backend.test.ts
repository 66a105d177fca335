import { toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOnnxBackend } from "../../src/backends/onnx/create-onnx-backend.ts";
import type { OnnxBackendOptions } from "../../src/backends/onnx/onnx-backend.ts";
import type { EncodedText } from "../../src/core/ports/tokenizer.ts";
import type { ModelProto } from "../../src/generated/onnx_pb.ts";
import { ModelProtoSchema, TensorProto_DataType } from "../../src/generated/onnx_pb.ts";
import type { EncoderHead } from "../../src/model-tools/onnx/encoder-config.ts";
import { writeNgramClassifier } from "../../src/model-tools/onnx/write-ngram-classifier.ts";
import { createNode, createValueInfo } from "../../src/model-tools/onnx/write-onnx.ts";
import { createBackendOptions, toText } from "../support/backend-options.ts";
import {
  createRandomNgramWeights,
  createRandomTexts,
  writeModelFile,
} from "../support/onnx-fixtures.ts";
import {
  createIdTexts,
  createSmallEncoder,
  createSmallEncoderBytes,
  SMALL_ENCODER,
} from "../support/small-encoder.ts";
import type { BackendUnderTest } from "./backend.ts";
import { describeBackend } from "./backend.ts";

type ModelFile = Awaited<ReturnType<typeof writeModelFile>>;

const BUCKETS = 500;
const LABELS = 3;
const EXECUTIONS = ["inline", "workers"] as const;

describe("the embedded backend with an n-gram classifier", () => {
  let model: ModelFile;
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
    for (const execution of EXECUTIONS) {
      describeBackend(`${runtime}, ${execution}`, async (): Promise<BackendUnderTest> => {
        const ids = createRandomTexts(3, { count: 12, maxLength: 30, buckets: BUCKETS });
        const texts = ids.map(toText);
        const backend = await createOnnxBackend(
          createBackendOptions(model.path, {
            output: { name: "logits", width: LABELS, pooling: "none", normalize: false },
            execution,
            runtime,
            warmup: texts,
          }),
        );
        const badText = toText([1, BUCKETS]);
        return { backend, width: LABELS, texts, badText, agreement: "sums" };
      });
    }
  }
});

/** Texts and pairs, the longest one as long as the model reads. */
function createEncoderTexts(): readonly EncodedText[] {
  const texts = createIdTexts(14, 11).map((ids, i) => ({
    ids,
    secondStart: i % 2 === 0 ? ids.length : Math.ceil(ids.length / 2),
  }));
  const longest = Int32Array.from({ length: SMALL_ENCODER.maxPositions }, (_, i) => 1 + i);
  return [...texts, toText(longest), toText([5])];
}

/** As a package of Hugging Face is loaded: names are found, and nobody says how long a vector is. */
function toEncoderOptions(
  model: ModelFile,
  changes: Partial<OnnxBackendOptions>,
): OnnxBackendOptions {
  return createBackendOptions(model.path, {
    inputs: { ids: undefined, padId: 0 },
    output: { name: undefined, width: LABELS, pooling: "none", normalize: false },
    maxTokens: SMALL_ENCODER.maxPositions,
    warmup: createEncoderTexts(),
    ...changes,
  });
}

const HEADS: readonly {
  readonly name: string;
  readonly head: EncoderHead;
  readonly width: number;
  readonly output: OnnxBackendOptions["output"];
}[] = [
  {
    name: "a classification head",
    head: { kind: "classification", labels: LABELS },
    width: LABELS,
    output: { name: undefined, width: LABELS, pooling: "none", normalize: false },
  },
  {
    name: "the mean of its tokens",
    head: { kind: "hidden-states" },
    width: SMALL_ENCODER.hiddenSize,
    output: { name: undefined, width: undefined, pooling: "mean", normalize: true },
  },
  {
    name: "the vector of its first token",
    head: { kind: "hidden-states" },
    width: SMALL_ENCODER.hiddenSize,
    output: { name: "last_hidden_state", width: undefined, pooling: "cls", normalize: false },
  },
];

for (const { name, head, width, output } of HEADS) {
  describe(`the embedded backend with a transformer and ${name}`, () => {
    let model: ModelFile;
    beforeAll(async () => {
      model = await writeModelFile(createSmallEncoderBytes(head));
    });
    afterAll(() => model.remove());

    for (const execution of EXECUTIONS) {
      describeBackend(`onnxruntime, ${execution}`, async (): Promise<BackendUnderTest> => {
        const texts = createEncoderTexts();
        const backend = await createOnnxBackend(toEncoderOptions(model, { execution, output }));
        const badText = toText([1, SMALL_ENCODER.vocabSize]);
        return { backend, width, texts, badText, agreement: "bits" };
      });
    }
  });
}

describe("a transformer's rows", () => {
  let classifier: ModelFile;
  let encoder: ModelFile;
  beforeAll(async () => {
    classifier = await writeModelFile(createSmallEncoderBytes());
    encoder = await writeModelFile(createSmallEncoderBytes({ kind: "hidden-states" }));
  });
  afterAll(() => Promise.all([classifier.remove(), encoder.remove()]));

  async function runInline(
    model: ModelFile,
    changes: Partial<OnnxBackendOptions>,
    batch: readonly EncodedText[],
  ): Promise<readonly Float32Array[]> {
    const options = toEncoderOptions(model, { execution: "inline", ...changes });
    const backend = await createOnnxBackend(options);
    try {
      return await backend.run(batch);
    } finally {
      await backend.close();
    }
  }

  test("depend on nothing that padding is filled with", async () => {
    const texts = createEncoderTexts();
    const zeros = await runInline(classifier, {}, texts);
    const sevens = await runInline(classifier, { inputs: { ids: undefined, padId: 7 } }, texts);
    expect(sevens).toEqual(zeros);
  });

  test("of a pair depend on where the second text begins", async () => {
    const ids = Int32Array.of(2, 40, 41, 3, 50, 51, 3);
    const starts = [ids.length, 4, 2];
    const batch = starts.map((secondStart) => ({ ids, secondStart }));
    const rows = await runInline(classifier, {}, batch);
    expect(new Set(rows.map((row) => row.join())).size).toBe(starts.length);
  });

  test("are the mean over a text's own tokens, at length 1 when that is asked for", async () => {
    const texts = [toText([9]), toText([2, 40, 41, 3]), toText([2, 8, 7, 6, 5, 4, 3])];
    const mean = { name: undefined, width: undefined, pooling: "mean", normalize: false } as const;
    const first = { ...mean, pooling: "cls" } as const;
    const means = await runInline(encoder, { output: mean }, texts);
    // A text of one token is its own mean, however much padding its company causes.
    const [alone] = await runInline(encoder, { output: first }, [toText([9])]);
    expect(means[0]).toEqual(alone);
    const normalized = await runInline(encoder, { output: { ...mean, normalize: true } }, texts);
    for (const [index, row] of normalized.entries()) {
      const length = Math.hypot(...(means[index] ?? []));
      expect(length).toBeGreaterThan(1.5);
      for (const [i, value] of row.entries()) {
        expect(value).toBeCloseTo((means[index]?.[i] ?? Number.NaN) / length, 6);
      }
    }
  });

  test("are the same on one thread and on two, inline and in workers", async () => {
    const texts = createEncoderTexts();
    const expected = await runInline(classifier, {}, texts);
    for (const execution of EXECUTIONS) {
      const changes = { execution, threadsPerWorker: 2, workers: 1 };
      expect(await runInline(classifier, changes, texts)).toEqual(expected);
    }
  });

  test("come in single precision from a graph that answers in half", async () => {
    const halves = await writeModelFile(castToHalf(createSmallEncoder()));
    const texts = createEncoderTexts();
    const expected = await runInline(classifier, {}, texts);
    const rows = await runInline(halves, {}, texts);
    await halves.remove();
    for (const [index, row] of rows.entries()) {
      expect(row).toBeInstanceOf(Float32Array);
      for (const [i, value] of row.entries()) {
        const exact = expected[index]?.[i] ?? Number.NaN;
        expect(Math.abs(value - exact)).toBeLessThanOrEqual(
          2 ** -10 * Math.max(1, Math.abs(exact)),
        );
      }
    }
    expect(rows).not.toEqual(expected);
  });

  test("longer than the model reads are refused alone", async () => {
    const backend = await createOnnxBackend(toEncoderOptions(classifier, { execution: "inline" }));
    const tooLong = toText(new Int32Array(SMALL_ENCODER.maxPositions + 1).fill(4));
    await expect(backend.run([tooLong])).rejects.toMatchObject({ code: "model_failed" });
    expect(await backend.run([toText([2, 4, 3])])).toHaveLength(1);
    await backend.close();
  });
});

/** The model with an output of half floats in place of its logits. */
function castToHalf(model: ModelProto): Uint8Array {
  const { FLOAT16 } = TensorProto_DataType;
  const { graph } = model;
  graph?.node.push(createNode("Cast", ["logits"], "half_logits", { to: FLOAT16 }));
  graph?.output.splice(0, 1, createValueInfo("half_logits", FLOAT16, ["batch", LABELS]));
  return toBinary(ModelProtoSchema, model);
}
