import type { StatisticsSnapshot, Tally } from "../../core/models/version-statistics.ts";

/** What one version did since it was loaded. */
export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  readonly statistics: StatisticsSnapshot;
}

/** How often something happened and how long it took, in whole nanoseconds. */
export interface WireTally {
  readonly count: number;
  readonly ns: number;
}

/**
 * Body of `GET /v2/models/<model>/stats` and `GET /v2/models/stats`.
 *
 * Source: https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md. It is also the
 * JSON form of the gRPC message.
 */
export function encodeStatistics(models: readonly ModelStatistics[]): string {
  return JSON.stringify({ model_stats: models.map(toWireStatistics) });
}

function toWireStatistics({ name, version, statistics }: ModelStatistics) {
  const { succeeded, cacheHits } = statistics;
  const misses = { count: succeeded.count - cacheHits.count, ms: succeeded.ms - cacheHits.ms };
  return {
    name,
    version,
    last_inference: Math.round(statistics.lastInferenceMs),
    inference_count: statistics.itemsRun,
    execution_count: statistics.runs.count,
    inference_stats: {
      success: toWireTally(succeeded),
      fail: toWireTally(statistics.failed),
      queue: toWireTally(statistics.queue),
      // What lies before and behind the runs belongs to requests, not to versions.
      compute_input: NOTHING,
      compute_infer: toWireTally(statistics.runs),
      compute_output: NOTHING,
      cache_hit: toWireTally(cacheHits),
      cache_miss: toWireTally(misses),
    },
    response_stats: {},
    batch_stats: statistics.runsBySize.map(({ items, ...tally }) => ({
      batch_size: items,
      compute_input: NOTHING,
      compute_infer: toWireTally(tally),
      compute_output: NOTHING,
    })),
    memory_usage: [],
  };
}

const NOTHING: WireTally = { count: 0, ns: 0 };
const NS_PER_MS = 1e6;

function toWireTally({ count, ms }: Tally): WireTally {
  return { count, ns: Math.round(ms * NS_PER_MS) };
}
