import { existsSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, threadId, workerData } from "node:worker_threads";
import type { ModelRunner } from "../../src/backends/onnx/model-runner.ts";
import type { WorkerSetup } from "../../src/backends/onnx/workers/text-work.ts";
import { hostRunner } from "../../src/backends/onnx/workers/worker-host.ts";
import { SluiceError } from "../../src/core/errors.ts";
import { FRAGILE, MARKERS, SLOW_MS } from "./backend-fragile-commands.ts";

// A worker of the pool whose model does what the first id of a text says. `modelPath` is a folder that outlives the
// thread: files in it remember what happened, and tell later threads what to do.
const setup = workerData as WorkerSetup;
const toPath = (marker: string) => `${setup.spec.modelPath}/${marker}`;

async function runOne(ids: Int32Array): Promise<Float32Array> {
  const [command = 0] = ids;
  if (command === FRAGILE.exit) process.exit(1);
  if (command === FRAGILE.exitOnce && isFirst(MARKERS.crashed)) process.exit(1);
  if (command === FRAGILE.exitLater) await sleep(50).then(() => process.exit(1));
  if (command === FRAGILE.slow) await sleep(SLOW_MS);
  if (command === FRAGILE.throwUncaught) await dieOfAnException();
  if (command === FRAGILE.fail) throw new SluiceError("model_failed", "This batch only.");
  if (command === FRAGILE.tellThread) return Float32Array.of(threadId);
  if (command === FRAGILE.hang) hang();
  if (command === FRAGILE.hangOnce && isFirst(MARKERS.hung)) hang();
  return Float32Array.of(command);
}

/** True the first time that any thread asks. */
function isFirst(marker: string): boolean {
  if (existsSync(toPath(marker))) return false;
  writeFileSync(toPath(marker), "");
  return true;
}

/**
 * Blocks the thread as a run that waits for a lock does: no message reaches it. Ends when a test says so, or with the
 * test.
 */
function hang(): void {
  const nobodyWakesIt = new Int32Array(new SharedArrayBuffer(4));
  while (existsSync(setup.spec.modelPath) && !existsSync(toPath(MARKERS.released))) {
    Atomics.wait(nobodyWakesIt, 0, 0, 20);
  }
}

function dieOfAnException(): Promise<never> {
  setTimeout(() => {
    throw new Error("Nobody catches this.");
  });
  return new Promise(() => {});
}

async function load(): Promise<ModelRunner> {
  while (existsSync(toPath(MARKERS.loadsLater)) && !isFirst(MARKERS.loaded)) await sleep(10);
  if (existsSync(toPath(MARKERS.refusesToLoad))) throw new Error("The model cannot be loaded.");
  return {
    description: "fragile",
    pads: true,
    run: (batch) => Promise.all(batch.map(({ ids }) => runOne(ids))),
    close: async () => {},
  };
}

if (parentPort !== null) await hostRunner(parentPort, load, setup);
