import { existsSync, writeFileSync } from "node:fs";
import { parentPort, threadId, workerData } from "node:worker_threads";
import type { ModelRunner } from "../../src/backends/onnx/model-runner.ts";
import { hostRunner } from "../../src/backends/onnx/worker-host.ts";
import type { WorkerSetup } from "../../src/backends/onnx/worker-protocol.ts";

// A worker of the pool whose model does what the first id of a text says; see `FRAGILE` in
// `backend-worker-pool.test.ts`. `modelPath` is a folder that outlives the thread and remembers what happened.
const { spec, warmup } = workerData as WorkerSetup;
const crashedOnce = `${spec.modelPath}/crashed-once`;
const refusesToLoad = `${spec.modelPath}/refuses-to-load`;

async function runOne(ids: Int32Array): Promise<Float32Array> {
  const [command = 0] = ids;
  if (command === 100) process.exit(1);
  if (command === 101 && !existsSync(crashedOnce)) {
    writeFileSync(crashedOnce, "");
    process.exit(1);
  }
  if (command === 102) await dieOfAnException();
  if (command === 103) throw new Error("This batch only.");
  if (command === 104) return Float32Array.of(threadId);
  return Float32Array.of(command);
}

function dieOfAnException(): Promise<never> {
  setTimeout(() => {
    throw new Error("Nobody catches this.");
  });
  return new Promise(() => {});
}

async function load(): Promise<ModelRunner> {
  if (existsSync(refusesToLoad)) throw new Error("The model cannot be loaded.");
  return {
    description: "fragile",
    run: (batch) => Promise.all(batch.map(runOne)),
    close: async () => {},
  };
}

if (parentPort !== null) await hostRunner(parentPort, load, warmup);
