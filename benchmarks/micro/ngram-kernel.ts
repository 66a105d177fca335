import { availableParallelism } from "node:os";
import { createOnnxBackend } from "../../src/backends/onnx/create-onnx-backend.ts";
import { createNgramKernel } from "../../src/backends/onnx/kernel/ngram-kernel.ts";
import { startThread } from "../../src/backends/onnx/workers/thread-supply.ts";
import { writeNgramClassifier } from "../../src/model-tools/onnx/write-ngram-classifier.ts";
import {
  createRandomNgramWeights,
  createRandomTexts,
  writeModelFile,
} from "../../test/support/onnx-fixtures.ts";

// What one short text costs in the TypeScript kernel and in ONNX Runtime, inline and in a worker.
// Run: node benchmarks/micro/ngram-kernel.ts

const BUCKETS = 65_536;
const DIMENSIONS = 64;
const TEXTS = 512;
const MAX_IDS = 49;
const ROUNDS = 5;

const texts = createRandomTexts(1, { count: TEXTS, maxLength: MAX_IDS, buckets: BUCKETS });
const idsPerText = texts.reduce((sum, ids) => sum + ids.length, 0) / TEXTS;
const batches = texts.map((ids) => [{ ids, secondStart: ids.length }]);

/** Best of several rounds, so that other work on the machine counts as little as possible. */
async function measureUsPerText(runAll: () => void | Promise<void>, repeats = 1): Promise<number> {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    for (let i = 0; i < repeats; i++) await runAll();
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  return (bestMs * 1_000) / (TEXTS * repeats);
}

for (const classes of [2, 5, 28]) {
  const options = { seed: 1, buckets: BUCKETS, dimensions: DIMENSIONS, classes };
  const weights = createRandomNgramWeights({ ...options, combiner: "sqrtn", quantized: false });
  const bytes = writeNgramClassifier(weights);
  const loadStartMs = performance.now();
  const kernel = createNgramKernel(bytes);
  const loadMs = performance.now() - loadStartMs;
  const rows: Record<string, string>[] = [];
  const report = (what: string, usPerText: number) => {
    const nsPerId = ((usPerText * 1_000) / idsPerText).toFixed(1);
    rows.push({ what, "µs per text": usPerText.toFixed(2), "ns per id": nsPerId });
  };
  const scoreAll = () => {
    for (const ids of texts) kernel?.score(ids);
  };
  report("kernel, plain loop", await measureUsPerText(scoreAll, 50));

  const model = await writeModelFile(bytes);
  for (const runtime of ["typescript", "onnxruntime"] as const) {
    for (const execution of ["inline", "workers"] as const) {
      const backend = await createOnnxBackend({
        modelPath: model.path,
        inputs: { ids: "ids", padId: 0 },
        output: { name: "logits", pooling: "none", normalize: false, width: classes },
        maxTokens: undefined,
        execution,
        runtime,
        workers: 1,
        threadsPerWorker: 1,
        niceness: 10,
        hangTimeoutMs: 0,
        inlineMaxRunMs: 0.2,
        device: { kind: "cpu" },
        warmup: batches.flat(),
        startThread,
      });
      const runAll = async () => {
        for (const batch of batches) await backend.run(batch);
      };
      report(`${runtime}, ${execution}, one text after the other`, await measureUsPerText(runAll));
      const runTogether = async () => {
        for (let i = 0; i < TEXTS; i += 16) await backend.run(batches.slice(i, i + 16).flat());
      };
      report(`${runtime}, ${execution}, batches of 16`, await measureUsPerText(runTogether));
      await backend.close();
    }
  }
  await model.remove();
  console.log(
    `\n${classes} classes, ${BUCKETS} × ${DIMENSIONS}, ${idsPerText.toFixed(1)} ids a text, ` +
      `kernel loaded in ${loadMs.toFixed(0)} ms, ${availableParallelism()} cores`,
  );
  console.table(rows);
}
