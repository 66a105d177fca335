import { SluiceError } from "../../../core/errors.ts";
import type { RunCost } from "../../../core/ports/backend.ts";
import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import type { BatchShape } from "../device.ts";
import type { ModelRunner } from "../model-runner.ts";
import { areNumbers } from "../model-runner.ts";
import type { TimedBatch } from "./fit-cost.ts";
import { fitCost } from "./fit-cost.ts";

/** What running a model costs on one thread. */
export interface MeasuredCost extends RunCost {
  /** Predicted time of a run with one text as long as the warm-up texts are on average, in milliseconds. */
  readonly typicalRunMs: number;
}

export interface CostOptions {
  /** Typical texts; at least one. Longer batches repeat their ids. */
  readonly texts: readonly EncodedText[];
  /** Longest text that the model reads; undefined: no longer ones than `texts` are tried. */
  readonly maxTokens: number | undefined;
  /** Batches to run before anything is timed, for engines that are built for the shapes they meet. */
  readonly firstShapes: readonly BatchShape[];
  /** The clock, in milliseconds; tests bring their own. */
  readonly nowMs?: () => number;
}

/** The batches that are timed. Few and small: measuring is part of starting. */
const SHAPES: readonly BatchShape[] = [
  { batch: 1, tokens: 8 },
  { batch: 1, tokens: 32 },
  { batch: 4, tokens: 16 },
  { batch: 1, tokens: 64 },
];
/** Rounds over all shapes go on until this time is over. The first one does not count: it warms up. */
const BUDGET_MS = 40;
const MIN_ROUNDS = 2;
const MAX_ROUNDS = 40;
/** A model so slow that two shapes took this long is not measured with more of them. */
const MAX_ROUND_MS = 500;
/** A kernel in TypeScript needs some hundred runs until the compiler has done its work. */
const KERNEL_WARM_UP_RUNS = 300;
const KERNEL_WARM_UP_MS = 25;

/**
 * Warms a runner up and measures what a run costs. What counts is the fastest of a few runs: on a busy machine the
 * others tell how busy it is. About 50 ms for models whose runs are short.
 *
 * @throws SluiceError `invalid_argument` when the outputs are not numbers, and whatever `runner.run` throws
 */
export async function measureCost(
  runner: ModelRunner,
  options: CostOptions,
): Promise<MeasuredCost> {
  const { texts, firstShapes, nowMs = () => performance.now() } = options;
  const longest = Math.max(...texts.map(({ ids }) => ids.length));
  const maxTokens = options.maxTokens ?? longest;
  for (const shape of firstShapes) await runner.run(createBatch(texts, shape, maxTokens));
  for (const text of texts) assertServable(await runner.run([text]));
  if (!runner.pads) await warmUpCompiler(runner, texts.slice(0, 1), nowMs);
  const batches = SHAPES.map((shape) => createBatch(texts, shape, maxTokens));
  const { fixedMs, perTokenMs } = fitCost(await timeBatches(runner, batches, nowMs));
  const meanTokens = texts.reduce((sum, { ids }) => sum + ids.length, 0) / texts.length;
  return { fixedMs, perTokenMs, typicalRunMs: fixedMs + perTokenMs * meanTokens };
}

/** Round by round, so that a moment in which the machine is busy meets all shapes alike. */
async function timeBatches(
  runner: ModelRunner,
  batches: readonly (readonly EncodedText[])[],
  nowMs: () => number,
): Promise<readonly TimedBatch[]> {
  const timed: { batch: readonly EncodedText[]; tokens: number; ms: number }[] = [];
  const startedMs = nowMs();
  for (const batch of batches) {
    await timeRun(runner, batch, nowMs);
    const tokens = batch.reduce((sum, { ids }) => sum + ids.length, 0);
    timed.push({ batch, tokens, ms: Number.POSITIVE_INFINITY });
    if (timed.length >= 2 && nowMs() - startedMs > MAX_ROUND_MS) break;
  }
  for (let round = 1; round < MAX_ROUNDS; round++) {
    for (const each of timed) each.ms = Math.min(each.ms, await timeRun(runner, each.batch, nowMs));
    if (round + 1 >= MIN_ROUNDS && nowMs() - startedMs > BUDGET_MS) break;
  }
  return timed;
}

async function warmUpCompiler(
  runner: ModelRunner,
  batch: readonly EncodedText[],
  nowMs: () => number,
): Promise<void> {
  const startedMs = nowMs();
  for (let run = 0; run < KERNEL_WARM_UP_RUNS; run++) {
    await timeRun(runner, batch, nowMs);
    if (nowMs() - startedMs > KERNEL_WARM_UP_MS) return;
  }
}

/** Milliseconds of one run. */
async function timeRun(
  runner: ModelRunner,
  batch: readonly EncodedText[],
  nowMs: () => number,
): Promise<number> {
  const startedMs = nowMs();
  const rows = runner.run(batch);
  // Waiting for what is already there would count a turn of the event loop.
  if (rows instanceof Promise) await rows;
  return nowMs() - startedMs;
}

/** Texts of one length, made of the ids of typical ones. */
function createBatch(
  texts: readonly EncodedText[],
  shape: BatchShape,
  maxTokens: number,
): readonly EncodedText[] {
  const tokens = Math.min(shape.tokens, maxTokens);
  return Array.from({ length: shape.batch }, (_, index) => {
    const source = texts[index % texts.length]?.ids ?? new Int32Array(1);
    const ids = Int32Array.from({ length: tokens }, (_, i) => source[i % source.length] ?? 0);
    return { ids, secondStart: tokens };
  });
}

/** Weights that are not numbers give outputs that are not: better found now than by callers. */
function assertServable(rows: readonly Float32Array[]): void {
  if (areNumbers(rows)) return;
  throw new SluiceError(
    "invalid_argument",
    "The model's output is not a number (NaN or infinite) for ordinary texts; its weights are probably broken.",
  );
}
