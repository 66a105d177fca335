import { createOnnxBackend } from "../../src/backends/onnx/create-onnx-backend.ts";
import { createBackendOptions, toText } from "../support/backend-options.ts";

// A program that runs a text in a worker and then just ends, without closing the backend.
const backend = await createOnnxBackend(
  createBackendOptions(process.argv[2] ?? "", { execution: "workers" }),
);
const rows = await backend.run([toText([1, 2])]);
console.log(`rows: ${rows.length}`);
