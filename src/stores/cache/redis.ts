import type { CacheStore } from "../../core/ports/cache-store.ts";
import type { RedisLink, RedisLinkOptions } from "../redis/redis-link.ts";
import { openRedisLink } from "../redis/redis-link.ts";

export interface RedisCacheOptions extends RedisLinkOptions {
  /** First part of every key, so that several installations may share a server. */
  readonly prefix: string;
}

/** Part of every key; another layout of the values gets another one, and never meets these. */
const LAYOUT = "cache:1:";
const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;

/**
 * Keeps results in Redis, for all replicas. The key is the whole key behind a prefix, which Redis compares itself; the value
 * is the floats, little-endian. The keys of a call are read by one command. Expiry and size are the server's:
 * `maxmemory-policy allkeys-lru` drops what was used longest ago.
 *
 * @throws SluiceError see `openRedisLink`
 */
export async function createRedisCacheStore(options: RedisCacheOptions): Promise<CacheStore> {
  return toCacheStore(await openRedisLink(options), `${options.prefix}${LAYOUT}`);
}

function toCacheStore(link: RedisLink, prefix: string): CacheStore {
  return {
    description: `Redis, ${link.address}`,
    getMany: async (keys) => {
      if (keys.length === 0) return [];
      const names = keys.map((key) => prefix + key);
      const found = await link.run((client) => client.mgetBuffer(names));
      return found.map(decodeFloats);
    },
    set: async (key, value, ttlMs) => {
      const bytes = encodeFloats(value);
      await link.write((client) => client.set(prefix + key, bytes, "PX", Math.ceil(ttlMs)));
    },
    close: () => link.close(),
  };
}

function encodeFloats(value: Float32Array): Buffer {
  const bytes = Buffer.allocUnsafe(value.length * FLOAT_BYTES);
  for (let i = 0; i < value.length; i++) bytes.writeFloatLE(value[i] ?? 0, i * FLOAT_BYTES);
  return bytes;
}

/** What somebody else put there is no value. */
function decodeFloats(bytes: Buffer | null): Float32Array | undefined {
  if (bytes === null || bytes.length === 0 || bytes.length % FLOAT_BYTES !== 0) return undefined;
  const value = new Float32Array(bytes.length / FLOAT_BYTES);
  for (let i = 0; i < value.length; i++) value[i] = bytes.readFloatLE(i * FLOAT_BYTES);
  return value;
}
