import { parentPort, workerData } from "node:worker_threads";
import { loadRunner } from "../load-runner.ts";
import type { WorkerSetup } from "./text-work.ts";
import { hostRunner } from "./worker-host.ts";

const setup = workerData as WorkerSetup;

if (parentPort !== null) await hostRunner(parentPort, () => loadRunner(setup.spec), setup);
