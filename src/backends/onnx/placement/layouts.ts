/** How many threads do what. */
export interface WorkerLayout {
  /** Worker threads, each with the model loaded; 0 when it runs inline. */
  readonly workers: number;
  /** Threads of one ONNX Runtime run. */
  readonly threads: number;
}

/** A layout and how many ids a millisecond all its workers together got through. */
export interface MeasuredLayout extends WorkerLayout {
  readonly tokensPerMs: number;
}

/** What must be known to choose a layout. */
export interface LayoutQuestion {
  /** Processor cores to use; at least 1. */
  readonly cores: number;
  /** What the configuration says; 0 = not said. */
  readonly fixed: WorkerLayout;
  /** Measured time of one ordinary text on one thread. */
  readonly runMs: number;
  /** Models that fit in memory side by side; at least 1. */
  readonly maxModels: number;
}

/** The layouts worth comparing, the usual one first, and in words why there are no others. */
export interface LayoutChoice {
  readonly layouts: readonly WorkerLayout[];
  readonly why: string;
}

/**
 * Below this run time splitting a run over threads costs more than it saves: waking them is part of every run. Measured
 * with MiniLM on two cores, two workers with one thread against one with two: INT8 runs of 1 to 20 ms get 1.3 to 2
 * times as many texts done, FP32 runs of 5 to 50 ms 1.0 to 1.2 times.
 */
const MIN_RUN_MS_FOR_THREADS = 20;
/** Slower models are not loaded again and again only to compare layouts. */
const MAX_RUN_MS_TO_COMPARE = 1000;
/** By how much another layout must be better: workers with one thread each never wait for a slow core. */
const MIN_GAIN = 1.05;

/**
 * Which layouts to compare. Pure.
 *
 * One worker per core with one thread each is the usual layout: it is the fastest or within noise of it for all but
 * long runs. Where memory holds fewer models than there are cores, each gets several threads instead.
 */
export function listLayouts(question: LayoutQuestion): LayoutChoice {
  const { cores, fixed, runMs, maxModels } = question;
  if (fixed.workers > 0 && fixed.threads > 0) return { layouts: [fixed], why: "as configured" };
  if (fixed.threads > 0) {
    const workers = Math.min(Math.max(1, Math.floor(cores / fixed.threads)), maxModels);
    return {
      layouts: [{ workers, threads: fixed.threads }],
      why: "as many as cores and memory hold",
    };
  }
  const workers = fixed.workers > 0 ? fixed.workers : Math.min(cores, maxModels);
  const usual = { workers, threads: 1 };
  const threads = Math.max(1, Math.floor(cores / workers));
  if (cores === 1) return { layouts: [usual], why: "there is one core" };
  if (runMs < MIN_RUN_MS_FOR_THREADS) {
    return { layouts: [usual], why: "runs are too short to gain from threads" };
  }
  if (workers < cores && fixed.workers === 0) {
    return { layouts: [{ workers, threads }], why: "memory holds no more models" };
  }
  const others = [
    ...(fixed.workers > 0 ? [{ workers, threads }] : []),
    ...(fixed.workers === 0 && cores >= 4 ? [{ workers: Math.floor(cores / 2), threads: 2 }] : []),
    ...(fixed.workers === 0 ? [{ workers: 1, threads: cores }] : []),
  ].filter((layout) => layout.threads > 1 && workers + layout.workers <= maxModels);
  if (runMs > MAX_RUN_MS_TO_COMPARE) {
    return { layouts: [usual], why: "runs are too long to compare layouts" };
  }
  if (others.length === 0) return { layouts: [usual], why: "there is nothing to compare" };
  return { layouts: [usual, ...others], why: "the fastest of those measured" };
}

/** The fastest layout; the first one unless another is clearly better. Pure. */
export function decideLayout(measured: readonly MeasuredLayout[]): MeasuredLayout | undefined {
  const [usual, ...others] = measured;
  if (usual === undefined) return undefined;
  let best = usual;
  for (const layout of others) {
    const bar = best === usual ? MIN_GAIN * usual.tokensPerMs : best.tokensPerMs;
    if (layout.tokensPerMs > bar) best = layout;
  }
  return best;
}

/** Part of the memory still free that more copies of a model may take. */
const MEMORY_SHARE = 0.5;

/** How many copies of a model fit in memory, the one that is loaded included. Pure. */
export function countFittingModels(modelBytes: number, freeBytes: number): number {
  if (modelBytes <= 0) return Number.POSITIVE_INFINITY;
  return 1 + Math.max(0, Math.floor((MEMORY_SHARE * freeBytes) / modelBytes));
}
