import { truncate } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOnnxBackend } from "../../src/backends/onnx/create-onnx-backend.ts";
import type { OnnxBackendOptions } from "../../src/backends/onnx/onnx-backend.ts";
import { countCores } from "../../src/backends/onnx/placement/count-cores.ts";
import { createOrtRunner } from "../../src/backends/onnx/session/ort-session.ts";
import { writeNgramClassifier } from "../../src/model-tools/onnx/write-ngram-classifier.ts";
import { createBackendOptions, createRunnerSpec, toText } from "../support/backend-options.ts";
import { breakWeights, raiseOpset } from "../support/broken-models.ts";
import {
  createRandomNgramWeights,
  createRandomTexts,
  writeModelFile,
  writeSlowClassifier,
} from "../support/onnx-fixtures.ts";
import { createSmallEncoderBytes, SMALL_ENCODER } from "../support/small-encoder.ts";

type ModelFile = Awaited<ReturnType<typeof writeModelFile>>;

const BUCKETS = 300;
const texts = createRandomTexts(2, { count: 8, maxLength: 20, buckets: BUCKETS });
const weights = { seed: 1, buckets: BUCKETS, dimensions: 8, classes: 2 };
const written: ModelFile[] = [];

let ngrams: ModelFile;
let slow: ModelFile;
let encoder: ModelFile;
let junk: ModelFile;

async function write(bytes: Uint8Array): Promise<ModelFile> {
  const model = await writeModelFile(bytes);
  written.push(model);
  return model;
}

beforeAll(async () => {
  const random = createRandomNgramWeights({ ...weights, combiner: "mean", quantized: true });
  ngrams = await write(writeNgramClassifier(random));
  slow = await write(writeSlowClassifier());
  encoder = await write(createSmallEncoderBytes({ kind: "classification", labels: 2 }));
  junk = await write(new TextEncoder().encode("This is no model."));
});
afterAll(() => Promise.all(written.map((model) => model.remove())));

function toOptions(model: ModelFile, change: Partial<OnnxBackendOptions> = {}): OnnxBackendOptions {
  return createBackendOptions(model.path, { warmup: texts.map(toText), ...change });
}

/** As a package of Hugging Face is loaded: names are found, ids stay below the vocabulary. */
function toEncoderOptions(model: ModelFile, change: Partial<OnnxBackendOptions> = {}) {
  return toOptions(model, {
    inputs: { ids: undefined, padId: 0 },
    output: { name: undefined, width: 2, pooling: "none", normalize: false },
    maxTokens: SMALL_ENCODER.maxPositions,
    workers: 1,
    ...change,
  });
}

async function describeChoice(options: OnnxBackendOptions): Promise<string> {
  const backend = await createOnnxBackend(options);
  await backend.close();
  expect(backend.measuredRunMs).toBeGreaterThan(0);
  expect(backend.cost.fixedMs).toBeGreaterThanOrEqual(0);
  expect(backend.cost.perTokenMs).toBeGreaterThan(0);
  return backend.description;
}

async function expectRefusal(options: OnnxBackendOptions, message: RegExp) {
  await expect(createOnnxBackend(options)).rejects.toMatchObject({
    name: "SluiceError",
    code: "invalid_argument",
    message: expect.stringMatching(message),
  });
}

describe("what runs where", () => {
  test("an n-gram classifier runs in the kernel on this thread", async () => {
    expect(await describeChoice(toOptions(ngrams))).toMatch(
      /^typescript kernel, inline \(0\.\d+ ms a text\)$/,
    );
  });

  test("a slow graph runs in ONNX Runtime in workers, and says what a session weighs", async () => {
    expect(await describeChoice(toOptions(slow))).toMatch(
      /^onnxruntime, 2 workers × 1 thread, [\d.]+ ms a text, \d+ MB a session$/,
    );
  });

  test("a graph that only ONNX Runtime knows but that is fast comes back to this thread", async () => {
    expect(await describeChoice(toOptions(slow, { inlineMaxRunMs: 10_000 }))).toMatch(
      /^onnxruntime, inline \(/,
    );
  });

  test("a kernel that is slower than the limit goes into workers", async () => {
    const options = toOptions(ngrams, { inlineMaxRunMs: 0, workers: 1 });
    expect(await describeChoice(options)).toMatch(/^typescript kernel, 1 worker, /);
  });

  test("what the options say is done, and no warm-up text is needed", async () => {
    const options = { execution: "inline", runtime: "onnxruntime", warmup: [] } as const;
    expect(await describeChoice(toOptions(ngrams, options))).toMatch(/^onnxruntime, inline \(/);
  });

  test("a bag of n-grams is not padded in the kernel, and everything is in ONNX Runtime", async () => {
    for (const [runtime, pads] of [
      ["typescript", false],
      ["onnxruntime", true],
    ] as const) {
      for (const execution of ["inline", "workers"] as const) {
        const options = toOptions(ngrams, { runtime, execution, workers: 1 });
        const backend = await createOnnxBackend(options);
        await backend.close();
        expect(backend.pads).toBe(pads);
      }
    }
  });

  test("slots are one inline and two for each worker, of which one is computed", async () => {
    const inline = await createOnnxBackend(toOptions(ngrams, { execution: "inline" }));
    const workers = await createOnnxBackend(toOptions(ngrams, { execution: "workers" }));
    await Promise.all([inline.close(), workers.close()]);
    expect([inline.slots, inline.parallelRuns]).toEqual([1, 1]);
    expect([workers.slots, workers.parallelRuns]).toEqual([4, 2]);
    expect(inline.placement).toMatchObject({ workers: 0, why: "as configured", tried: [] });
    const expected = { workers: 2, threads: 1, why: "as configured", tried: [] };
    expect(workers.placement).toEqual(expected);
    expect(inline.memoryBytesPerSession).toBeUndefined();
    expect(workers.memoryBytesPerSession).toBeGreaterThanOrEqual(0);
  });

  test("a transformer's names are found, and it is measured no longer than it reads", async () => {
    expect(await describeChoice(toEncoderOptions(encoder, { maxTokens: 5 }))).toMatch(
      /^onnxruntime, /,
    );
  });
});

describe("how workers are laid out", () => {
  const MEASURED = { workers: 0, threadsPerWorker: 0, execution: "workers" } as const;

  test("short runs: one worker per core, which are all there a little later, and say how they scale", async () => {
    const backend = await createOnnxBackend(toEncoderOptions(encoder, MEASURED));
    const { workers, threads, tried } = backend.placement;
    expect({ workers, threads, tried }).toEqual({ workers: countCores(), threads: 1, tried: [] });
    expect(backend.slots).toBe(2 * workers);
    if (workers > 1) {
      await expect
        .poll(() => backend.description, { timeout: 20_000 })
        .toMatch(/^onnxruntime, \d+ workers × 1 thread \(measured \d+\.\d × one worker\), /);
    }
    await backend.close();
  });

  test("long runs: threads are compared with workers where there are cores, and the figures told", async () => {
    const verySlow = await write(writeSlowClassifier({ layers: 2000 }));
    const backend = await createOnnxBackend(toOptions(verySlow, MEASURED));
    const { placement } = backend;
    await backend.close();
    if (countCores() === 1) expect(placement).toMatchObject({ workers: 1, tried: [] });
    else {
      expect(placement.why).toBe("the fastest of those measured");
      expect(placement.tried.length).toBeGreaterThanOrEqual(2);
      for (const { tokensPerMs } of placement.tried) expect(tokensPerMs).toBeGreaterThan(0);
      expect(placement.tried).toContainEqual(expect.objectContaining({ workers: 1 }));
    }
    expect(backend.slots).toBe(2 * placement.workers);
    expect(backend.parallelRuns).toBe(placement.workers);
  });

  test("closing while others join, or right after it is ready, leaves nothing running", async () => {
    const countThreads = () =>
      process.getActiveResourcesInfo().filter((name) => name === "Worker").length;
    const before = countThreads();
    const backend = await createOnnxBackend(toEncoderOptions(encoder, { ...MEASURED, workers: 3 }));
    await backend.close();
    await expect.poll(countThreads, { timeout: 20_000 }).toBe(before);
  });
});

describe("a model that cannot be served is refused when it is loaded", () => {
  for (const execution of ["inline", "workers"] as const) {
    test(`a file that is no model, ${execution}`, async () => {
      await expectRefusal(toOptions(junk, { execution }), /refused the model file/);
    });

    test(`an empty file, ${execution}`, async () => {
      const empty = await write(new Uint8Array());
      await expectRefusal(toOptions(empty, { execution }), /model file is empty/);
    });

    test(`a model whose copy was cut short, ${execution}`, async () => {
      for (const bytes of [createSmallEncoderBytes(), writeSlowClassifier({ layers: 2 })]) {
        const cut = await write(bytes);
        await truncate(cut.path, Math.floor(bytes.length / 2));
        await expectRefusal(toOptions(cut, { execution }), /refused the model file: .{10}/);
      }
    });

    test(`an operator set that is newer than the library, ${execution}`, async () => {
      const future = await write(raiseOpset(createSmallEncoderBytes(), 99));
      await expectRefusal(toEncoderOptions(future, { execution }), /refused the model file: .*99/);
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
      const output = { name: "scores", width: 2, pooling: "none", normalize: false } as const;
      await expectRefusal(toOptions(slow, { execution, inputs }), /input "tokens".*found "ids"/);
      await expectRefusal(toOptions(slow, { execution, output }), /output "scores".*"logits"/);
      await expectRefusal(toOptions(ngrams, { execution, inputs }), /does not fit its manifest/);
    });

    test(`another number of labels than the manifest's, ${execution}`, async () => {
      const output = { name: "logits", width: 3, pooling: "none", normalize: false } as const;
      const change = { execution, output };
      await expectRefusal(toOptions(slow, change), /\[batch, 3\]; found "logits".*\[batch, 2\]/);
      await expectRefusal(toOptions(ngrams, change), /"labels":2.*"labels":3/);
    });

    test(`weights that are not numbers, ${execution}`, async () => {
      const broken = await write(breakWeights(createSmallEncoderBytes(), "classifier.weight"));
      const output = { name: undefined, width: 3, pooling: "none", normalize: false } as const;
      const options = toEncoderOptions(broken, { execution, output });
      await expectRefusal(options, /output is not a number/);
      const bags = createRandomNgramWeights({ ...weights, combiner: "mean", quantized: false });
      const brokenBags = await write(breakWeights(writeNgramClassifier(bags), "bias"));
      await expectRefusal(toOptions(brokenBags, { execution }), /output is not a number/);
    });

    test(`warm-up texts that are not of its vocabulary, ${execution}`, async () => {
      const warmup = [toText([1, SMALL_ENCODER.vocabSize])];
      const options = toEncoderOptions(encoder, { execution, warmup });
      await expect(createOnnxBackend(options)).rejects.toMatchObject({ code: "model_failed" });
    });
  }

  test("a graph that the TypeScript kernel does not compute, when that is asked for", async () => {
    await expectRefusal(toOptions(slow, { runtime: "typescript" }), /needs the runtime/);
  });

  test("any model, when ONNX Runtime is not installed, with the fix in the message", async () => {
    const missing = () => Promise.reject(new Error("Cannot find package"));
    await expect(createOrtRunner(createRunnerSpec(slow.path), missing)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("npm install onnxruntime-node"),
    });
  });
});
