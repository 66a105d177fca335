/**
 * Latencies in buckets that grow by a constant factor, so that every quantile is right to 2 %, whatever the range, and
 * sketches of several replicas can be added (DDSketch: Masson, Rim, Lee, PVLDB 12, 2019). Plain JSON. Bounded: latencies
 * from 0.01 ms to about three hours have 519 buckets; what lies outside counts as the nearest.
 */
export interface LatencySketch {
  /** [bucket, count], by rising bucket, counts above 0. Bucket i holds latencies above γ^(i−1) ms, up to γ^i ms. */
  readonly buckets: readonly (readonly [bucket: number, count: number])[];
}

/** Bound of the relative error of every latency that is read from a sketch. */
export const RELATIVE_ERROR = 0.02;

const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const LOG_GAMMA = Math.log(GAMMA);
const MIN_LATENCY_MS = 0.01;
const MAX_LATENCY_MS = 1e7;

export const EMPTY_SKETCH: LatencySketch = { buckets: [] };

/** Bucket of a latency. What is no number counts as the longest, lest a broken clock looks fast. */
export function latencyBucketOf(latencyMs: number): number {
  const known = Number.isNaN(latencyMs) ? MAX_LATENCY_MS : latencyMs;
  const bounded = Math.min(MAX_LATENCY_MS, Math.max(MIN_LATENCY_MS, known));
  return Math.ceil(Math.log(bounded) / LOG_GAMMA);
}

/** The latency that stands for a bucket: within 2 % of all that is in it. */
export function latencyOfBucket(bucket: number): number {
  return (2 * GAMMA ** bucket) / (GAMMA + 1);
}

/** A sketch of counts per bucket. */
export function createLatencySketch(counts: ReadonlyMap<number, number>): LatencySketch {
  const buckets = [...counts].filter(([, count]) => count > 0);
  return { buckets: buckets.sort(([a], [b]) => a - b) };
}

/** What one sketch would be if it had seen everything that both saw. Associative and commutative. */
export function mergeLatencySketches(a: LatencySketch, b: LatencySketch): LatencySketch {
  const counts = new Map<number, number>(a.buckets);
  for (const [bucket, count] of b.buckets) counts.set(bucket, (counts.get(bucket) ?? 0) + count);
  return createLatencySketch(counts);
}

/** How many latencies are in it. */
export function countLatencies({ buckets }: LatencySketch): number {
  return buckets.reduce((sum, [, count]) => sum + count, 0);
}

/** Bucket of the latency that is number `rank` from the shortest, from 1; null outside. */
export function findBucketAtRank({ buckets }: LatencySketch, rank: number): number | null {
  if (rank < 1) return null;
  let seen = 0;
  for (const [bucket, count] of buckets) {
    seen += count;
    if (seen >= rank) return bucket;
  }
  return null;
}

/** Latency below which the share `quantile` lies, in ms, to 2 %; null when the sketch is empty. */
export function readLatencyQuantile(sketch: LatencySketch, quantile: number): number | null {
  const rank = Math.max(1, Math.ceil(quantile * countLatencies(sketch)));
  const bucket = findBucketAtRank(sketch, rank);
  return bucket === null ? null : latencyOfBucket(bucket);
}

/** The two ends of a bucket, in ms. */
export function latencyBoundsOf(bucket: number): { readonly above: number; readonly upTo: number } {
  return { above: GAMMA ** (bucket - 1), upTo: GAMMA ** bucket };
}
