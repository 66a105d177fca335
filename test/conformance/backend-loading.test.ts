import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OnnxBackendOptions } from "../../src/backends/onnx/create-onnx-backend.ts";
import { createOnnxBackend } from "../../src/backends/onnx/create-onnx-backend.ts";
import { createOrtRunner } from "../../src/backends/onnx/ort-session.ts";
import { writeNgramClassifier } from "../../src/model-tools/onnx/write-ngram-classifier.ts";
import {
  createRandomNgramWeights,
  createRandomTexts,
  writeModelFile,
  writeSlowClassifier,
} from "../support/onnx-fixtures.ts";

type ModelFile = Awaited<ReturnType<typeof writeModelFile>>;

const BUCKETS = 300;
const texts = createRandomTexts(2, { count: 8, maxLength: 20, buckets: BUCKETS });
const weights = { seed: 1, buckets: BUCKETS, dimensions: 8, classes: 2 };

let ngrams: ModelFile;
let slow: ModelFile;
let junk: ModelFile;

beforeAll(async () => {
  const random = createRandomNgramWeights({ ...weights, combiner: "mean", quantized: true });
  ngrams = await writeModelFile(writeNgramClassifier(random));
  slow = await writeModelFile(writeSlowClassifier());
  junk = await writeModelFile(new TextEncoder().encode("This is no model."));
});
afterAll(() => Promise.all([ngrams.remove(), slow.remove(), junk.remove()]));

function toOptions(model: ModelFile, change: Partial<OnnxBackendOptions> = {}): OnnxBackendOptions {
  return {
    modelPath: model.path,
    inputs: { ids: "ids", padId: 0 },
    outputs: { logits: "logits" },
    labelCount: 2,
    execution: "auto",
    runtime: "auto",
    workers: 2,
    threadsPerWorker: 1,
    inlineMaxRunMs: 0.2,
    warmup: texts.map((ids) => ({ ids, truncated: false })),
    ...change,
  };
}

async function describeChoice(options: OnnxBackendOptions): Promise<string> {
  const backend = await createOnnxBackend(options);
  await backend.close();
  expect(backend.measuredRunMs).toBeGreaterThan(0);
  return backend.description;
}

describe("what runs where", () => {
  test("an n-gram classifier runs in the kernel on this thread", async () => {
    expect(await describeChoice(toOptions(ngrams))).toMatch(
      /^typescript kernel, inline \(0\.\d+ ms a text\)$/,
    );
  });

  test("a slow graph runs in ONNX Runtime in workers", async () => {
    expect(await describeChoice(toOptions(slow))).toMatch(
      /^onnxruntime, 2 workers × 1 thread \([\d.]+ ms a text\)$/,
    );
  });

  test("a graph that only ONNX Runtime knows but that is fast comes back to this thread", async () => {
    expect(await describeChoice(toOptions(slow, { inlineMaxRunMs: 10_000 }))).toMatch(
      /^onnxruntime, inline \(/,
    );
  });

  test("a kernel that is slower than the limit goes into workers", async () => {
    const options = toOptions(ngrams, { inlineMaxRunMs: 0, workers: 1 });
    expect(await describeChoice(options)).toMatch(/^typescript kernel, 1 worker \(/);
  });

  test("what the options say is done, and no warm-up text is needed", async () => {
    const options = { execution: "inline", runtime: "onnxruntime", warmup: [] } as const;
    expect(await describeChoice(toOptions(ngrams, options))).toMatch(/^onnxruntime, inline \(/);
  });
});

describe("a model that cannot be served is refused when it is loaded", () => {
  const expectRefusal = async (options: OnnxBackendOptions, message: RegExp) => {
    await expect(createOnnxBackend(options)).rejects.toMatchObject({
      name: "SluiceError",
      code: "invalid_argument",
      message: expect.stringMatching(message),
    });
  };

  for (const execution of ["inline", "workers"] as const) {
    test(`a file that is no model, ${execution}`, async () => {
      await expectRefusal(toOptions(junk, { execution }), /refused the model file/);
    });

    test(`a file that is not there, ${execution}`, async () => {
      const change = {
        execution,
        modelPath: `${junk.path}-missing`,
        runtime: "onnxruntime",
      } as const;
      await expectRefusal(toOptions(junk, change), /refused the model file/);
      await expectRefusal(
        toOptions(junk, { ...change, runtime: "auto" }),
        /Cannot read the model file/,
      );
    });

    test(`other names than the manifest's, ${execution}`, async () => {
      const inputs = { ids: "tokens", padId: 0 };
      const outputs = { logits: "scores" };
      await expectRefusal(toOptions(slow, { execution, inputs }), /input "tokens".*found "ids"/);
      await expectRefusal(toOptions(slow, { execution, outputs }), /output "scores".*"logits"/);
      await expectRefusal(toOptions(ngrams, { execution, inputs }), /does not fit its manifest/);
    });

    test(`another number of labels than the manifest's, ${execution}`, async () => {
      const change = { execution, labelCount: 3 };
      await expectRefusal(toOptions(slow, change), /\[batch, 3\]; found "logits".*\[batch, 2\]/);
      await expectRefusal(toOptions(ngrams, change), /"labels":2.*"labels":3/);
    });
  }

  test("a graph that the TypeScript kernel does not compute, when that is asked for", async () => {
    await expectRefusal(toOptions(slow, { runtime: "typescript" }), /needs the runtime/);
  });

  test("any model, when ONNX Runtime is not installed, with the fix in the message", async () => {
    const { modelPath, inputs, outputs, labelCount } = toOptions(slow);
    const spec = {
      modelPath,
      inputs,
      outputs,
      labelCount,
      runtime: "onnxruntime",
      threads: 1,
    } as const;
    const missing = () => Promise.reject(new Error("Cannot find package"));
    await expect(createOrtRunner(spec, missing)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("npm install onnxruntime-node"),
    });
  });
});
