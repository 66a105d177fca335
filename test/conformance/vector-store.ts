import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type {
  VectorFilter,
  VectorItem,
  VectorMetric,
  VectorStore,
} from "../../src/core/ports/vector-store.ts";
import { VECTOR_METRICS } from "../../src/core/ports/vector-store.ts";

export interface VectorStoreUnderTest {
  readonly store: VectorStore;
  /** Closes the store and opens it again on the same data. */
  reopen(): Promise<VectorStore>;
  dispose(): Promise<void>;
}

export interface VectorStoreExpectations {
  /** How many small collections each property is tried with. */
  readonly runs: number;
}

/** An item with what a test leaves out. */
export function toVectorItem(
  id: string,
  vector: readonly number[],
  rest: Partial<VectorItem> = {},
): VectorItem {
  return {
    id,
    vector: Float32Array.from(vector),
    text: undefined,
    label: undefined,
    metadata: {},
    ...rest,
  };
}

/** What every driver must do. */
export function describeVectorStore(
  name: string,
  create: () => Promise<VectorStoreUnderTest>,
  { runs }: VectorStoreExpectations = { runs: 40 },
): void {
  describe(`vector store: ${name}`, () => {
    let subject: VectorStoreUnderTest;
    let store: VectorStore;
    beforeEach(async () => {
      subject = await create();
      store = subject.store;
    });
    afterEach(() => subject.dispose());
    const make = (metric: VectorMetric = "l2", dimensions = 2, collection = "notes") =>
      store.create({ name: collection, dimensions, metric, origin: "test" });

    test("lists collections by name with their items, and makes one again only as it was", async () => {
      await make("dot", 3, "second");
      await make("l2", 2, "first");
      await make("l2", 2, "first");
      await store.upsert("first", [toVectorItem("a", [1, 2])]);
      expect(await store.list()).toEqual([
        { name: "first", dimensions: 2, metric: "l2", origin: "test", items: 1 },
        { name: "second", dimensions: 3, metric: "dot", origin: "test", items: 0 },
      ]);
      await expect(make("l2", 3, "first")).rejects.toMatchObject({ code: "invalid_argument" });
      await expect(make("cosine", 2, "first")).rejects.toMatchObject({ code: "invalid_argument" });
      const other = { name: "first", dimensions: 2, metric: "l2", origin: "other" } as const;
      await expect(store.create(other)).rejects.toMatchObject({ code: "invalid_argument" });
    });

    test.each(VECTOR_METRICS)(
      "%s: a search finds what comparing with every item finds",
      async (metric) => {
        let round = 0;
        const labels = fc.constantFrom("spam", "ham", undefined);
        const items = fc.uniqueArray(
          fc.record({
            id: fc.stringMatching(/^[a-zé键]{1,4}$/),
            vector: fc.tuple(coordinate, coordinate, coordinate),
            label: labels,
            metadata: fc.record({
              lang: fc.constantFrom("en", "de"),
              size: fc.constantFrom(1, true, "1"),
            }),
          }),
          { selector: ({ id }) => id, minLength: 1, maxLength: 25 },
        );
        const filters = fc.constantFrom<VectorFilter | undefined>(
          undefined,
          { label: "spam" },
          { metadata: { lang: "en" } },
          { metadata: { lang: "de", size: 1 }, label: "ham" },
          { metadata: { size: true } },
          { metadata: { size: "1" } },
          { metadata: { missing: "x" } },
        );
        await fc.assert(
          fc.asyncProperty(
            items,
            fc.tuple(coordinate, coordinate, coordinate),
            fc.integer({ min: 1, max: 8 }),
            filters,
            async (drawn, query, k, filter) => {
              round += 1;
              const collection = `round-${round}`;
              await make(metric, 3, collection);
              const stored = drawn.map(({ id, vector, ...rest }) => toVectorItem(id, vector, rest));
              await store.upsert(collection, stored);
              const vector = Float32Array.from(query);
              const found = await store.search(collection, {
                vector,
                k,
                ...(filter === undefined ? {} : { filter }),
              });
              await store.drop(collection);
              const expected = stored
                .filter((item) => passes(item, filter))
                .map((item) => ({ item, score: scoreOf(metric, item.vector, vector) }));
              assertNearest(metric, found, expected, k);
            },
          ),
          { numRuns: runs },
        );
      },
      60_000,
    );

    test("gives text, label and metadata back as they were, and equal distances by id", async () => {
      await make();
      const metadata = { "a\"b'c": "x", number: 1.5, yes: true, __proto__x: "odd" };
      const whole = toVectorItem("b", [1, 0], { text: "Grüße 键 🙂", label: "L", metadata });
      await store.upsert("notes", [toVectorItem("c", [1, 0]), whole, toVectorItem("a", [-1, 0])]);
      const found = await store.search("notes", { vector: Float32Array.of(0, 0), k: 3 });
      expect(found.map(({ id, score }) => [id, score])).toEqual([
        ["a", 1],
        ["b", 1],
        ["c", 1],
      ]);
      expect(found[1]).toMatchObject({ text: "Grüße 键 🙂", label: "L", metadata });
      expect(found[0]).toMatchObject({ text: undefined, label: undefined, metadata: {} });
    });

    test("replaces by id, of two with one id in a call the last one counts, and removes", async () => {
      await make();
      await store.upsert("notes", [toVectorItem("a", [1, 0]), toVectorItem("b", [2, 0])]);
      await store.upsert("notes", [
        toVectorItem("a", [5, 0]),
        toVectorItem("a", [7, 0], { text: "last" }),
      ]);
      const [first, second] = await store.page("notes", { limit: 10 });
      expect(first).toEqual(toVectorItem("a", [7, 0], { text: "last" }));
      expect(second?.id).toBe("b");
      expect(await store.remove("notes", ["a", "missing", "a"])).toBe(1);
      expect((await store.page("notes", { limit: 10 })).map(({ id }) => id)).toEqual(["b"]);
    });

    test("pages by the bytes of the ids, each item once", async () => {
      await make();
      const ids = ["Z", "a", "é", "键", "🙂", "\uffee", "b", "B", "_", "0"];
      await store.upsert(
        "notes",
        ids.map((id) => toVectorItem(id, [1, 1])),
      );
      const seen: string[] = [];
      for (;;) {
        const after = seen.at(-1);
        const page = await store.page("notes", {
          limit: 3,
          ...(after === undefined ? {} : { after }),
        });
        if (page.length === 0) break;
        seen.push(...page.map(({ id }) => id));
      }
      expect(seen).toEqual([...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    });

    test("refuses what the contract refuses and stores nothing of it", async () => {
      await make("cosine");
      const refused = { code: "invalid_argument" };
      const good = toVectorItem("good", [1, 1]);
      for (const bad of [
        toVectorItem("a", [1]),
        toVectorItem("a", [Number.NaN, 1]),
        toVectorItem("a", [Number.POSITIVE_INFINITY, 1]),
        toVectorItem("a", [0, 0]),
        toVectorItem("", [1, 1]),
        toVectorItem("x".repeat(201), [1, 1]),
        toVectorItem("half \ud800", [1, 1]),
        toVectorItem("a", [1, 1], { text: "nul \u0000" }),
        toVectorItem("a", [1, 1], { metadata: { x: Number.NaN } }),
      ]) {
        await expect(store.upsert("notes", [good, bad])).rejects.toMatchObject(refused);
      }
      expect(await store.page("notes", { limit: 10 })).toEqual([]);
      const vector = Float32Array.of(1, 1);
      for (const k of [0, -1, 1001, 1.5]) {
        await expect(store.search("notes", { vector, k })).rejects.toMatchObject(refused);
        await expect(store.page("notes", { limit: k })).rejects.toMatchObject(refused);
      }
      const zero = Float32Array.of(0, 0);
      await expect(store.search("notes", { vector: zero, k: 1 })).rejects.toMatchObject(refused);
      await expect(make("l2", 0, "x")).rejects.toMatchObject(refused);
      await expect(make("l2", 2, 'x"; drop')).rejects.toMatchObject(refused);
    });

    test("an unknown collection is not found", async () => {
      const unknown = { code: "not_found" };
      await expect(store.upsert("none", [])).rejects.toMatchObject(unknown);
      await expect(store.remove("none", ["a"])).rejects.toMatchObject(unknown);
      await expect(store.page("none", { limit: 1 })).rejects.toMatchObject(unknown);
      const query = { vector: Float32Array.of(1), k: 1 };
      await expect(store.search("none", query)).rejects.toMatchObject(unknown);
      expect(await store.drop("none")).toBe(false);
    });

    test("a collection that was dropped and made again is empty", async () => {
      await make();
      await store.upsert("notes", [toVectorItem("a", [1, 0])]);
      expect(await store.drop("notes")).toBe(true);
      await make("dot", 3);
      expect(await store.page("notes", { limit: 10 })).toEqual([]);
    });

    test("calls may overlap, and a search sees every upsert that settled", async () => {
      await make();
      await Promise.all(
        Array.from({ length: 40 }, async (_, i) => {
          await store.upsert("notes", [toVectorItem(`i${i}`, [i, 0])]);
          const [found] = await store.search("notes", { vector: Float32Array.of(i, 0), k: 1 });
          expect(found?.id).toBe(`i${i}`);
        }),
      );
      expect((await store.list())[0]?.items).toBe(40);
    });

    test("what was stored is there after closing and opening again", async () => {
      await make();
      await store.upsert("notes", [toVectorItem("a", [1, 2], { label: "x" })]);
      const again = await subject.reopen();
      expect(await again.page("notes", { limit: 10 })).toEqual([
        toVectorItem("a", [1, 2], { label: "x" }),
      ]);
    });

    test("close can be called twice, and a closed store is unavailable", async () => {
      await store.close();
      await store.close();
      await expect(store.list()).rejects.toMatchObject({ code: "unavailable" });
    });
  });
}

/** Never all zero, which cosine refuses. */
const coordinate = fc.integer({ min: -8, max: 8 }).map((value) => (value === 0 ? 0.25 : value / 2));

function passes({ label, metadata }: VectorItem, filter: VectorFilter | undefined): boolean {
  if (filter?.label !== undefined && filter.label !== label) return false;
  return Object.entries(filter?.metadata ?? {}).every(([key, value]) => metadata[key] === value);
}

/** The metric's definition, term by term. */
export function scoreOf(metric: VectorMetric, a: Float32Array, b: Float32Array): number {
  const sum = (term: (x: number, y: number) => number) =>
    a.reduce((total, x, i) => total + term(x, b[i] ?? 0), 0);
  const dot = sum((x, y) => x * y);
  if (metric === "dot") return dot;
  if (metric === "l2") return Math.sqrt(sum((x, y) => (x - y) ** 2));
  return dot / Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y));
}

/** 32-bit arithmetic may swap neighbours that differ by less. */
const TOLERANCE = 1e-5;

function assertNearest(
  metric: VectorMetric,
  found: readonly { readonly id: string; readonly score: number }[],
  expected: readonly { readonly item: VectorItem; readonly score: number }[],
  k: number,
): void {
  const sign = metric === "l2" ? 1 : -1;
  const sorted = [...expected].sort((a, b) => sign * (a.score - b.score)).slice(0, k);
  const scoreById = new Map(expected.map(({ item, score }) => [item.id, score]));
  expect(new Set(found.map(({ id }) => id)).size).toBe(sorted.length);
  for (const [rank, { id, score }] of found.entries()) {
    expect(Math.abs(score - (scoreById.get(id) ?? Number.NaN))).toBeLessThan(TOLERANCE);
    expect(Math.abs(score - (sorted[rank]?.score ?? Number.NaN))).toBeLessThan(TOLERANCE);
  }
}
