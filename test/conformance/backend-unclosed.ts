import { createOnnxBackend } from "../../src/backends/onnx/create-onnx-backend.ts";

// A program that runs a text in a worker and then just ends, without closing the backend.
const backend = await createOnnxBackend({
  modelPath: process.argv[2] ?? "",
  inputs: { ids: "ids", padId: 0 },
  outputs: { logits: "logits" },
  labelCount: 2,
  execution: "workers",
  runtime: "auto",
  workers: 2,
  threadsPerWorker: 1,
  inlineMaxRunMs: 0.2,
  warmup: [],
});
const rows = await backend.run([{ ids: Int32Array.of(1, 2), truncated: false }]);
console.log(`rows: ${rows.length}`);
