import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { loadRunner } from "./load-runner.ts";
import { hostRunner } from "./worker-host.ts";
import type { WorkerSetup } from "./worker-protocol.ts";

/** Lower than the event loop's, which then still answers promptly when every core computes. */
const WORKER_NICENESS = 10;

// Linux schedules threads, so this reaches only the calling one; elsewhere it would slow the whole process down.
if (process.platform === "linux") setPriority(WORKER_NICENESS);

if (parentPort !== null) {
  const { spec, warmup } = workerData as WorkerSetup;
  await hostRunner(parentPort, () => loadRunner(spec), warmup);
}
