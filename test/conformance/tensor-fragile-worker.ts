import { existsSync, writeFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { hostTensorRunner } from "../../src/backends/onnx/tensors/tensor-work.ts";

// A worker of the pool whose model gives back its one input, after the first thread has died over it. `modelPath` is
// where the file lies by which the next thread knows.
if (parentPort !== null) {
  hostTensorRunner(parentPort, async ({ modelPath: marker }) => ({
    signature: {
      inputs: [{ name: "x", datatype: "FP32", shape: [null] }],
      outputs: [{ name: "x", datatype: "FP32", shape: [null] }],
    },
    description: "fragile",
    run: async (inputs) => {
      // Zeros are how a model is tried when it is loaded.
      if (inputs[0]?.data[0] !== 0 && !existsSync(marker)) {
        writeFileSync(marker, "");
        process.exit(1);
      }
      return inputs;
    },
    close: async () => {},
  }));
}
