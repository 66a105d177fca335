import type { RunCost } from "../../../core/ports/backend.ts";

/** A batch that was timed. */
export interface TimedBatch {
  /** Ids, padding included; > 0. */
  readonly tokens: number;
  /** Milliseconds; ≥ 0. */
  readonly ms: number;
}

/** A run that the clock cannot resolve still costs something: a rate of zero would let batches grow without end. */
const SMALLEST_MS = 1e-6;

/**
 * The line `fixedMs + perTokenMs × tokens` through timed batches, by least squares of the relative error, so that
 * short runs count as much as long ones; neither part is negative. Pure.
 *
 * @param batches at least one
 */
export function fitCost(batches: readonly TimedBatch[]): RunCost {
  let weights = 0;
  let meanTokens = 0;
  let meanMs = 0;
  for (const batch of batches) {
    const weight = toWeight(batch);
    weights += weight;
    meanTokens += weight * batch.tokens;
    meanMs += weight * batch.ms;
  }
  meanTokens /= weights;
  meanMs /= weights;
  let covariance = 0;
  let variance = 0;
  for (const batch of batches) {
    const weight = toWeight(batch);
    covariance += weight * (batch.tokens - meanTokens) * (batch.ms - meanMs);
    variance += weight * (batch.tokens - meanTokens) ** 2;
  }
  const slope = variance > 0 ? covariance / variance : 0;
  const start = meanMs - slope * meanTokens;
  if (slope <= 0) return { fixedMs: meanMs, perTokenMs: SMALLEST_MS };
  if (start >= 0) return { fixedMs: start, perTokenMs: Math.max(slope, SMALLEST_MS) };
  return { fixedMs: 0, perTokenMs: Math.max(meanMs / meanTokens, SMALLEST_MS) };
}

function toWeight({ ms }: TimedBatch): number {
  return 1 / Math.max(ms, SMALLEST_MS) ** 2;
}

/** Milliseconds that a run of so many texts is predicted to take, the longest of which has `longest` ids. Pure. */
export function predictRunMs(cost: RunCost, texts: number, longest: number): number {
  return cost.fixedMs + cost.perTokenMs * texts * longest;
}
