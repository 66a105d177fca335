import type { Redis } from "ioredis";
import type { RateCount, RateCounter } from "../../core/ports/rate-counter.ts";
import type { RedisLinkOptions } from "../redis/redis-link.ts";
import { openRedisLink } from "../redis/redis-link.ts";

export interface RedisRateCounterOptions extends RedisLinkOptions {
  /** First part of every key, so that several installations may share a server. */
  readonly prefix: string;
}

/**
 * Counts and reads the time that is left in one step, so that no two requests get the same number and no count lives for ever:
 * the window begins with the key, and ends with it.
 */
const HIT = `
local count = redis.call("INCR", KEYS[1])
local left = redis.call("PTTL", KEYS[1])
if left <= 0 then
  redis.call("PEXPIRE", KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {count, left}
`;

interface CountingClient extends Redis {
  sluiceHit(key: string, windowMs: number): Promise<[count: number, leftMs: number]>;
}

/**
 * Counts in Redis, for all replicas, exactly: the limit holds however many of them there are. A request waits for one
 * round trip.
 *
 * @throws SluiceError see `openRedisLink`
 */
export async function createRedisRateCounter(
  options: RedisRateCounterOptions,
): Promise<RateCounter> {
  const link = await openRedisLink(options);
  const prefix = `${options.prefix}rate:1:`;
  return {
    description: `Redis, ${link.address}`,
    hit: async (key, windowMs): Promise<RateCount> => {
      const name = `${prefix}${windowMs}:${key}`;
      const [count, resetMs] = await link.run((client) => {
        if (!("sluiceHit" in client)) {
          client.defineCommand("sluiceHit", { numberOfKeys: 1, lua: HIT });
        }
        return (client as CountingClient).sluiceHit(name, windowMs);
      });
      return { count, resetMs };
    },
    close: () => link.close(),
  };
}
