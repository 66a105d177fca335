import { parentPort, workerData } from "node:worker_threads";
import { createTensorRunner } from "./tensor-runner.ts";
import type { TensorSetup } from "./tensor-work.ts";
import { hostTensorRunner } from "./tensor-work.ts";

const setup = workerData as TensorSetup;

if (parentPort !== null) {
  await hostTensorRunner(parentPort, () => createTensorRunner(setup.spec), setup);
}
