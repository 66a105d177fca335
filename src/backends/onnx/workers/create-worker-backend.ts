import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import { formatCount, formatMs } from "../describe-figures.ts";
import type { OnnxBackend, PlacementReport } from "../onnx-backend.ts";
import { predictRunMs } from "../placement/fit-cost.ts";
import { measureThroughput } from "../placement/measure-throughput.ts";
import type { TextPool } from "./text-pool.ts";
import { SLOTS_PER_WORKER } from "./worker-pool.ts";

/** Ids of the batch by which the workers' joint speed is measured: as many as an efficient run has. */
const SCALING_BATCH = { texts: 4, tokens: 16 } as const;
const SCALING_MS = 100;

/**
 * A backend of a pool of workers.
 *
 * @param joining settles when workers that still load have joined; undefined when all are there and were measured. When
 * nobody needs the workers then, they are measured together for a tenth of a second, and `description` tells by how
 * much they are faster than one. Cores that share a unit, or have other work, show there.
 */
export function createWorkerBackend(
  runtime: OnnxBackend["runtime"],
  pool: TextPool,
  placement: PlacementReport,
  joining: Promise<void> | undefined,
): OnnxBackend {
  const { workers, threads } = placement;
  const { description, pads, memoryBytes } = pool.loaded;
  const slots = workers * SLOTS_PER_WORKER;
  const layout = `${formatCount(workers, "worker")}${runtime === "onnxruntime" ? ` × ${formatCount(threads, "thread")}` : ""}`;
  const memory = `${Math.round(memoryBytes / 1e6)} MB a session`;
  let isNeeded = false;
  let scaling = "";
  if (joining !== undefined && workers > 1) void measureScaling(joining);

  async function measureScaling(allJoined: Promise<void>): Promise<void> {
    await allJoined;
    const { texts, tokens } = SCALING_BATCH;
    const ids = new Int32Array(tokens).fill(0);
    const batch = Array.from({ length: texts }, () => ({ ids, secondStart: tokens }));
    const options = { batch, limitMs: SCALING_MS, isInterrupted: () => isNeeded };
    if (isNeeded) return;
    // Whatever goes wrong here goes wrong again, and is reported, when somebody asks.
    const together = await measureThroughput({ slots, run: pool.run }, options).catch(() => {});
    if (together === undefined) return;
    const alone = (texts * tokens) / predictRunMs(pool.loaded.cost, texts, tokens);
    scaling = ` (measured ${(together / alone).toFixed(1)} × one worker)`;
  }

  return {
    slots,
    parallelRuns: workers,
    get description() {
      const time = `${formatMs(pool.loaded.cost.typicalRunMs)} a text`;
      return `${description}, ${layout}${scaling}, ${time}, ${memory}`;
    },
    get cost() {
      return pool.loaded.cost;
    },
    pads,
    run(batch: readonly EncodedText[]) {
      isNeeded = true;
      return pool.run(batch);
    },
    close() {
      isNeeded = true;
      return pool.close();
    },
    runtime,
    execution: "workers",
    get measuredRunMs() {
      return pool.loaded.cost.typicalRunMs;
    },
    placement,
    memoryBytesPerSession: memoryBytes,
  };
}
