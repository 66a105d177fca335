/**
 * Percentiles of many latencies in constant memory.
 *
 * Buckets grow with their values, the idea of HdrHistogram: 0.1 µs wide below 25.6 µs, above that 128 buckets for every
 * doubling. A bucket answers with its middle, so a percentile is off by at most 0.4 % (or 0.05 µs). Minimum, maximum and
 * mean are exact. Values above 214 s count as 214 s; no request of a benchmark may take that long.
 */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  record(latencyMs: number): void {
    const units = Math.min(Math.max(Math.round(latencyMs * UNITS_PER_MS), 0), MAX_UNITS);
    const bucket = bucketOf(units);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count++;
    this.#sumMs += latencyMs;
    if (latencyMs > this.#maxMs) this.#maxMs = latencyMs;
  }

  /**
   * The latency that the given share of all values does not exceed.
   *
   * @param share 0 to 1, e.g. 0.99
   * @returns milliseconds; 0 when nothing was recorded
   */
  percentileMs(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= rank) return Math.min(middleOf(bucket) / UNITS_PER_MS, this.#maxMs);
    }
    return 0;
  }

  summarize(): LatencySummary {
    return {
      count: this.#count,
      meanMs: this.#count === 0 ? 0 : round(this.#sumMs / this.#count),
      p50Ms: round(this.percentileMs(0.5)),
      p90Ms: round(this.percentileMs(0.9)),
      p95Ms: round(this.percentileMs(0.95)),
      p99Ms: round(this.percentileMs(0.99)),
      p999Ms: round(this.percentileMs(0.999)),
      maxMs: round(this.#maxMs),
    };
  }
}

/** What a report says about latencies; everything is 0 when `count` is. */
export interface LatencySummary {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** One unit is 0.1 µs. */
const UNITS_PER_MS = 10_000;
const MAX_UNITS = 2 ** 31 - 1;
/** Buckets for every doubling. */
const SUB_BUCKETS = 128;
/** Highest bit of a number that still fits into the exact buckets. */
const EXACT_BITS = 8;
const BUCKETS = SUB_BUCKETS * (31 - EXACT_BITS + 2);

function bucketOf(units: number): number {
  const shift = Math.max(0, 32 - EXACT_BITS - Math.clz32(units));
  return shift * SUB_BUCKETS + (units >>> shift);
}

function middleOf(bucket: number): number {
  if (bucket < 2 * SUB_BUCKETS) return bucket;
  const shift = Math.floor(bucket / SUB_BUCKETS) - 1;
  const lowest = (bucket - shift * SUB_BUCKETS) * 2 ** shift;
  return lowest + (2 ** shift - 1) / 2;
}

/** A tenth of a microsecond: more digits would be noise. */
function round(ms: number): number {
  return Math.round(ms * UNITS_PER_MS) / UNITS_PER_MS;
}
