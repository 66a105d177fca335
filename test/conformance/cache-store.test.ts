import { expect, test } from "vitest";
import { createMemoryCacheStore } from "../../src/stores/cache/memory.ts";
import { createNoCacheStore } from "../../src/stores/cache/none.ts";
import { describeCacheStore } from "./cache-store.ts";

describeCacheStore("memory", async () => ({
  store: createMemoryCacheStore({ maxBytes: 10_000_000 }),
  pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}));

test("the memory cache stays within its bytes and drops what was used longest ago", async () => {
  const store = createMemoryCacheStore({ maxBytes: 100_000 });
  for (let i = 0; i < 5000; i++) await store.set(`key ${i}`, Float32Array.of(i), 60_000);
  const keys = Array.from({ length: 5000 }, (_, i) => `key ${i}`);
  const kept = (await store.getMany(keys)).flatMap((value) => (value === undefined ? [] : [value]));
  expect(kept.length).toBeGreaterThan(100);
  expect(kept.length).toBeLessThan(500);
  expect(kept.at(-1)?.[0]).toBe(4999);
});

test("no cache remembers nothing", async () => {
  const store = createNoCacheStore();
  await store.set("a", Float32Array.of(1), 60_000);
  expect(await store.getMany(["a"])).toEqual([undefined]);
});
