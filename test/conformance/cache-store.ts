import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CacheStore } from "../../src/core/ports/cache-store.ts";

export interface CacheUnderTest {
  readonly store: CacheStore;
  /** Lets this much time pass for the store. */
  pass(ms: number): Promise<void>;
}

/** What every cache driver must do. */
export function describeCacheStore(name: string, create: () => Promise<CacheUnderTest>): void {
  describe(`cache store: ${name}`, () => {
    let cache: CacheUnderTest;
    beforeEach(async () => {
      cache = await create();
    });
    afterEach(() => cache.store.close());

    test("answers in the order of the keys, undefined for what it does not know", async () => {
      await cache.store.set("a", Float32Array.of(1, 2), 60_000);
      await cache.store.set("b", Float32Array.of(3), 60_000);
      expect(await cache.store.getMany(["b", "missing", "a", "b"])).toEqual([
        Float32Array.of(3),
        undefined,
        Float32Array.of(1, 2),
        Float32Array.of(3),
      ]);
      expect(await cache.store.getMany([])).toEqual([]);
    });

    test("keeps floats bit for bit", async () => {
      const value = Float32Array.of(0.1, -0, 1e-45, 3.4e38, Number.POSITIVE_INFINITY);
      await cache.store.set("floats", value, 60_000);
      const [found] = await cache.store.getMany(["floats"]);
      expect(new Uint8Array(found?.slice().buffer ?? new ArrayBuffer(0))).toEqual(
        new Uint8Array(value.slice().buffer),
      );
    });

    test("the latest value counts", async () => {
      await cache.store.set("a", Float32Array.of(1), 60_000);
      await cache.store.set("a", Float32Array.of(2), 60_000);
      expect(await cache.store.getMany(["a"])).toEqual([Float32Array.of(2)]);
    });

    test("keys are compared whole: long, similar and odd keys stay apart", async () => {
      const keys = [
        "k".repeat(50_000),
        `${"k".repeat(50_000)}x`,
        "\n",
        "",
        "键\u0000",
        "__proto__",
      ];
      for (const [i, key] of keys.entries()) await cache.store.set(key, Float32Array.of(i), 60_000);
      expect(await cache.store.getMany(keys)).toEqual(keys.map((_, i) => Float32Array.of(i)));
    });

    test("forgets a value when its time is over, not before", async () => {
      await cache.store.set("short", Float32Array.of(1), 200);
      await cache.store.set("long", Float32Array.of(2), 60_000);
      expect(await cache.store.getMany(["short"])).toEqual([Float32Array.of(1)]);
      await cache.pass(300);
      expect(await cache.store.getMany(["short", "long"])).toEqual([undefined, Float32Array.of(2)]);
    });

    test("calls may overlap", async () => {
      const keys = Array.from({ length: 200 }, (_, i) => `key ${i}`);
      await Promise.all(keys.map((key, i) => cache.store.set(key, Float32Array.of(i), 60_000)));
      const found = await Promise.all(keys.map((key) => cache.store.getMany([key])));
      expect(found.map(([value]) => value?.[0])).toEqual(keys.map((_, i) => i));
    });

    test("close can be called twice", async () => {
      await cache.store.close();
      await cache.store.close();
    });
  });
}
