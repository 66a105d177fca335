import type { RunCost } from "../ports/backend.ts";

/** Limits of one batch. Defaults and meanings: `batching` in the configuration reference. */
export interface BatchLimits {
  readonly maxBatchItems: number;
  /** Ids a batch may hold once padded. One text that is longer than this runs alone. */
  readonly maxBatchTokens: number;
  /** Milliseconds of work, at the measured speed of all slots together, that one batch may hold. */
  readonly maxBatchRunMs: number;
  /** 0 = natural batching: whatever waits is sent as soon as a slot is free. */
  readonly maxQueueDelayMs: number;
  /** With `maxQueueDelayMs` > 0: send as soon as this many wait. */
  readonly minBatchItems: number;
}

/** What the policy looks at. */
export interface QueueSnapshot {
  /** Ids per text that may go now. The first one must go; the others are in the order of their turn. */
  readonly tokenCounts: readonly number[];
  /** How long the first has waited. */
  readonly oldestWaitMs: number;
  /** Measured ids per millisecond over all slots; `undefined` until the first batch has run. */
  readonly tokensPerMs: number | undefined;
}

/** How the model at hand spends its time. */
export interface BatchCost extends RunCost {
  /** False: texts of different length share a run without padding. */
  readonly pads: boolean;
}

export type BatchDecision =
  | { readonly kind: "idle" }
  /** Look again in `delayMs`, or when something arrives. */
  | { readonly kind: "wait"; readonly delayMs: number }
  /** Send these as one batch: indices into the snapshot, the first one first. */
  | { readonly kind: "run"; readonly take: readonly number[] };

/** How many texts the policy looks through for neighbours of the first one. More would hardly find nearer ones. */
export const SORT_WINDOW = 256;

/**
 * A run of this many times `fixedMs / perTokenMs` ids spends less than a tenth of its time on its fixed part. Larger
 * ones gain little, on many processors run slower per id because they leave the caches, and keep others waiting.
 */
const EFFICIENT_RUN = 10;
/**
 * When this many efficient runs wait, waiting for one run is little against waiting for the queue, and what larger runs
 * do gain is worth more to everybody: then runs are twice as large.
 */
const DEEP_QUEUE_RUNS = 16;
const DEEP_QUEUE_FACTOR = 2;
const MIN_EFFICIENT_TOKENS = 64;

/**
 * Share of a run's fixed cost that padding may eat up. At 1 a batch is only as cheap as the single runs it replaces;
 * less leaves distant texts to a later batch, which finds nearer neighbours for them.
 */
const PADDING_SHARE = 0.5;

/** Distances and positions are packed into one integer for sorting: 12 bits hold a position. */
const POSITION_BITS = 12;

/** Ids of padding that a batch may hold: what half of one run's fixed cost would pay for. */
export function toPaddingLimit({ fixedMs, perTokenMs }: RunCost): number {
  return perTokenMs > 0 ? (PADDING_SHARE * fixedMs) / perTokenMs : 0;
}

/** Padded ids beyond which a run gains little by more. */
export function toEfficientTokens({ fixedMs, perTokenMs }: RunCost): number {
  const tokens = perTokenMs > 0 ? (EFFICIENT_RUN * fixedMs) / perTokenMs : 0;
  return Math.max(MIN_EFFICIENT_TOKENS, Math.ceil(tokens));
}

/**
 * Decides, for a free slot, what to send now. Pure.
 *
 * The first text goes, whatever else: nobody starves. Texts whose length is nearest to its own join it, as long as the
 * padding they cause costs less than the run that they save, and the batch stays within its limits.
 *
 * With natural batching nothing ever waits while a slot is free: batches grow by themselves exactly when the model is
 * the bottleneck, because texts gather while all slots are busy. A timer can only add latency to that; it exists for
 * models whose single runs are very dear.
 */
export function decideBatch(
  queue: QueueSnapshot,
  limits: BatchLimits,
  cost: BatchCost,
): BatchDecision {
  const { tokenCounts } = queue;
  const [first] = tokenCounts;
  if (first === undefined) return { kind: "idle" };
  const maxTokens = tokenBudget(queue, limits, cost);
  const take = cost.pads
    ? takeNearest(tokenCounts, limits.maxBatchItems, maxTokens, toPaddingLimit(cost))
    : takeInOrder(tokenCounts, limits.maxBatchItems, maxTokens);
  const delayMs = limits.maxQueueDelayMs - queue.oldestWaitMs;
  const isFull = take.length === limits.maxBatchItems || (take.length + 1) * first > maxTokens;
  if (isFull || delayMs <= 0 || tokenCounts.length >= limits.minBatchItems) {
    return { kind: "run", take };
  }
  return { kind: "wait", delayMs };
}

/**
 * A batch that runs long gains nothing by its size and makes everybody behind it wait, so its ids are bounded in time
 * as well as in number.
 */
function tokenBudget(queue: QueueSnapshot, limits: BatchLimits, cost: BatchCost): number {
  const { tokensPerMs = Number.POSITIVE_INFINITY } = queue;
  const affordable = tokensPerMs * limits.maxBatchRunMs;
  const worthwhile = cost.pads ? toWorthwhileTokens(queue, cost) : Number.POSITIVE_INFINITY;
  return Math.min(limits.maxBatchTokens, affordable, worthwhile);
}

function toWorthwhileTokens({ tokenCounts }: QueueSnapshot, cost: RunCost): number {
  const efficient = toEfficientTokens(cost);
  const queued = tokenCounts.reduce((sum, count) => sum + count, 0);
  return queued >= DEEP_QUEUE_RUNS * efficient ? DEEP_QUEUE_FACTOR * efficient : efficient;
}

/** Without padding any texts fit together, so the order of arrival is the best one. */
function takeInOrder(
  tokenCounts: readonly number[],
  maxItems: number,
  maxTokens: number,
): readonly number[] {
  const take: number[] = [];
  let tokens = 0;
  for (let i = 0; i < tokenCounts.length && take.length < maxItems; i++) {
    tokens += tokenCounts[i] ?? 0;
    if (take.length > 0 && tokens > maxTokens) break;
    take.push(i);
  }
  return take;
}

/** The first text and those nearest to it in length; of equally near ones those whose turn comes first. */
function takeNearest(
  tokenCounts: readonly number[],
  maxItems: number,
  maxTokens: number,
  maxPadding: number,
): readonly number[] {
  const first = tokenCounts[0] ?? 0;
  const take = [0];
  let longest = first;
  let tokens = first;
  for (const position of byDistance(tokenCounts, first)) {
    if (take.length >= maxItems) break;
    const count = tokenCounts[position] ?? 0;
    const padded = Math.max(longest, count) * (take.length + 1);
    if (padded > maxTokens || padded - tokens - count > maxPadding) break;
    take.push(position);
    longest = Math.max(longest, count);
    tokens += count;
  }
  return take;
}

/** Positions 1 … n by distance of their length from `first`. Sorting plain integers needs no comparing function. */
function byDistance(tokenCounts: readonly number[], first: number): Uint32Array {
  const count = Math.min(tokenCounts.length, 1 << POSITION_BITS);
  const keys = new Uint32Array(count - 1);
  for (let i = 1; i < count; i++) {
    const distance = Math.min(Math.abs((tokenCounts[i] ?? 0) - first), 0xf_ffff);
    keys[i - 1] = distance * (1 << POSITION_BITS) + i;
  }
  keys.sort();
  for (let i = 0; i < keys.length; i++) {
    keys[i] = (keys[i] ?? 0) & ((1 << POSITION_BITS) - 1);
  }
  return keys;
}
