import type { ProcessGroup } from "../cluster/member.ts";
import { createSharedRateCounter } from "../cluster/shared-rate-counter.ts";
import type { Config } from "../config/schema.ts";
import type { CacheStore } from "../core/ports/cache-store.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { RateCounter } from "../core/ports/rate-counter.ts";
import { createMemoryCacheStore } from "../stores/cache/memory.ts";
import { createNoCacheStore } from "../stores/cache/none.ts";
import { createMemoryRateCounter } from "../stores/rate-counters/memory.ts";

/** The part of the composition root that chooses the stores in every request's way. */

interface Surroundings {
  readonly clock: Pick<Clock, "nowMs">;
  readonly logger: Logger;
}

/** Callers that are counted here while the counts of all cannot be reached. */
const FALLBACK_KEYS = 100_000;

/** @throws SluiceError `unavailable` when the server refuses for good: see `openRedisLink` */
export async function createCacheStore(
  { cache: { store } }: Config,
  { clock, logger }: Surroundings,
): Promise<CacheStore> {
  if (store.driver === "memory") return createMemoryCacheStore(store);
  if (store.driver === "none") return createNoCacheStore();
  const { createRedisCacheStore } = await import("../stores/cache/redis.ts");
  return await createRedisCacheStore({
    ...store,
    setting: "cache.store.url",
    nowMs: () => clock.nowMs(),
    changed: (problem) => {
      if (problem === undefined) logger.info("The cache is used again.");
      else logger.warn("The cache is passed over.", { reason: problem });
    },
  });
}

/** @throws SluiceError as `createCacheStore` */
export async function createRateCounter(
  { rateLimit: { store } }: Config,
  { clock, logger, group }: Surroundings & { readonly group: ProcessGroup | undefined },
): Promise<RateCounter> {
  const nowMs = () => clock.nowMs();
  if (store.driver === "memory") {
    const own = createMemoryRateCounter({ maxKeys: store.maxKeys, nowMs });
    if (group === undefined) return own;
    return createSharedRateCounter({ own, exchange: group.rates, nowMs });
  }
  const [{ createRedisRateCounter }, { createCounterWithFallback }] = await Promise.all([
    import("../stores/rate-counters/redis.ts"),
    import("../stores/rate-counters/with-fallback.ts"),
  ]);
  const shared = await createRedisRateCounter({
    ...store,
    setting: "rateLimit.store.url",
    nowMs,
    changed: (problem) => {
      if (problem === undefined) logger.info("Requests are counted together again.");
      else logger.warn("Requests cannot be counted together.", { reason: problem });
    },
  });
  const own = createMemoryRateCounter({ maxKeys: FALLBACK_KEYS, nowMs });
  return createCounterWithFallback({ shared, own, whenDown: store.whenDown });
}
