import type { CacheStore } from "../../core/ports/cache-store.ts";

/** Remembers nothing: every text is computed. */
export function createNoCacheStore(): CacheStore {
  return {
    description: "none",
    async getMany(keys) {
      return keys.map(() => undefined);
    },
    async set() {},
    async close() {},
  };
}
