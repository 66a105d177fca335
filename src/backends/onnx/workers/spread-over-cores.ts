import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import type { OnnxBackend, OnnxBackendOptions, PlacementReport } from "../onnx-backend.ts";
import { countCores } from "../placement/count-cores.ts";
import type { LayoutChoice, MeasuredLayout, WorkerLayout } from "../placement/layouts.ts";
import { countFittingModels, decideLayout, listLayouts } from "../placement/layouts.ts";
import { measureThroughput } from "../placement/measure-throughput.ts";
import type { RunnerSpec } from "../runner-spec.ts";
import { createWorkerBackend } from "./create-worker-backend.ts";
import type { TextPool } from "./text-pool.ts";
import { createTextPool } from "./text-pool.ts";
import { SLOTS_PER_WORKER } from "./worker-pool.ts";

/** What to spread. */
export interface SpreadPlan {
  readonly options: OnnxBackendOptions;
  readonly spec: RunnerSpec;
  readonly warmup: Promise<readonly EncodedText[]>;
}

/** Long enough for a slow model to finish some batches on every worker. */
const COMPARE_MS = 250;
/** Batches of a comparison hold up to four texts, fewer when a run would take longer than this. */
const COMPARE_BATCH_MS = 100;
const COMPARE_MAX_TEXTS = 4;

/**
 * Decides how many workers and threads run a model, by comparing layouts where there is something to compare, and
 * makes a backend of them.
 *
 * @param first a pool with one worker, loaded with the threads of the usual layout. It becomes part of the backend or
 * is closed.
 */
export async function spreadOverCores(plan: SpreadPlan, first: TextPool): Promise<OnnxBackend> {
  try {
    const { layouts, why } = chooseLayouts(plan, first);
    const [usual = { workers: 1, threads: 1 }] = layouts;
    if (layouts.length > 1) return await compare(plan, first, { layouts, why });
    const pool = await takeOver(plan, first, usual);
    const placement = { ...usual, why, tried: [] };
    return createWorkerBackend(plan.spec.runtime, pool, placement, pool.grow(usual.workers));
  } catch (error) {
    await first.close();
    throw error;
  }
}

function chooseLayouts({ options, spec }: SpreadPlan, first: TextPool): LayoutChoice {
  const { workers, threadsPerWorker, device } = options;
  if (device.kind !== "cpu") {
    // Every session would hold the weights once more, and a GPU computes one batch at a time.
    const layouts = [{ workers: Math.max(1, workers), threads: spec.threads }];
    return { layouts, why: workers > 0 ? "as configured" : "a GPU computes one batch at a time" };
  }
  const isKernel = spec.runtime === "typescript";
  return listLayouts({
    cores: countCores(),
    fixed: { workers, threads: isKernel ? 1 : threadsPerWorker },
    runMs: first.loaded.cost.typicalRunMs,
    maxModels: countFittingModels(first.loaded.memoryBytes, process.availableMemory()),
  });
}

/** The first pool when it was loaded with the right number of threads; otherwise a new one in its place. */
async function takeOver(
  plan: SpreadPlan,
  first: TextPool,
  { threads }: WorkerLayout,
): Promise<TextPool> {
  if (threads === plan.spec.threads || plan.spec.runtime === "typescript") return first;
  await first.close();
  return await createPool(plan, threads);
}

async function compare(
  plan: SpreadPlan,
  first: TextPool,
  { layouts, why }: LayoutChoice,
): Promise<OnnxBackend> {
  const tried: MeasuredLayout[] = [];
  let best = { pool: first, placement: { workers: 1, threads: 1, why, tried } as PlacementReport };
  for (const layout of layouts) {
    const isUsual = layout === layouts[0];
    const pool = isUsual ? first : await createPoolOrNone(plan, layout.threads);
    if (pool === undefined) continue;
    await pool.grow(layout.workers);
    const tokensPerMs = await measure(plan, pool, layout);
    tried.push({ ...layout, tokensPerMs });
    const isBest = decideLayout(tried) === tried.at(-1);
    if (!isBest) await pool.close();
    else {
      if (best.pool !== pool) await best.pool.close();
      best = { pool, placement: { ...layout, why, tried } };
    }
  }
  return createWorkerBackend(plan.spec.runtime, best.pool, best.placement, undefined);
}

async function measure(
  { warmup }: SpreadPlan,
  pool: TextPool,
  layout: WorkerLayout,
): Promise<number> {
  const texts = await warmup;
  const most = Math.floor(COMPARE_BATCH_MS / pool.loaded.cost.typicalRunMs);
  const count = Math.min(Math.max(most, 1), COMPARE_MAX_TEXTS);
  const batch = Array.from({ length: count }, (_, i) => texts[i % texts.length]).filter(
    (text) => text !== undefined,
  );
  const subject = { slots: layout.workers * SLOTS_PER_WORKER, run: pool.run };
  const options = { batch, limitMs: COMPARE_MS, isInterrupted: () => false };
  return (await measureThroughput(subject, options)) ?? 0;
}

/** A layout that cannot be loaded, for want of memory say, is no choice; that is no reason to fail. */
async function createPoolOrNone(plan: SpreadPlan, threads: number) {
  return await createPool(plan, threads).catch(() => undefined);
}

function createPool({ options, spec, warmup }: SpreadPlan, threads: number): Promise<TextPool> {
  const { niceness, hangTimeoutMs, startThread } = options;
  const setup = { spec: { ...spec, threads }, niceness };
  return createTextPool({ setup, warmup, hangTimeoutMs, startThread });
}
