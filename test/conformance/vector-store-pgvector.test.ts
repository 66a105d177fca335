import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPgvectorStore } from "../../src/stores/vectors/pgvector.ts";
import type { PgliteServer } from "../support/pglite-server.ts";
import { startPgliteServer } from "../support/pglite-server.ts";
import { describeVectorStore, scoreOf, toVectorItem } from "./vector-store.ts";

let server: PgliteServer;
beforeAll(async () => {
  server = await startPgliteServer();
}, 60_000);
afterAll(() => server.stop());

// The server has one session, in which transactions of two connections would mix.
const open = () =>
  createPgvectorStore({
    url: server.url,
    connectTimeoutMs: 5000,
    statementTimeoutMs: 60_000,
    maxConnections: 1,
  });

describeVectorStore(
  "pgvector",
  async () => {
    const store = await open();
    for (const { name } of await store.list()) await store.drop(name);
    let latest = store;
    return {
      store,
      reopen: async () => {
        await latest.close();
        latest = await open();
        return latest;
      },
      dispose: () => latest.close(),
    };
  },
  { runs: 15 },
);

describe("pgvector", () => {
  test("nobody at the address is unavailable, and the password is in no message", async () => {
    const url = "postgres://someone:hush-hush@127.0.0.1:1/none";
    const options = { connectTimeoutMs: 500, statementTimeoutMs: 500, maxConnections: 1 };
    const failure = await createPgvectorStore({ url, ...options }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "unavailable" });
    expect(String(failure)).toContain("vectors.store.url");
    expect(String(failure)).not.toContain("hush");
  });

  test("9 of 10 nearest are found among 5,000 of 384", async () => {
    const store = await open();
    await store.create({ name: "recall", dimensions: 384, metric: "cosine", origin: "test" });
    let state = 1;
    const random = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647 - 0.5;
    };
    const items = Array.from({ length: 5000 }, (_, i) =>
      toVectorItem(`i${i}`, Array.from({ length: 384 }, random)),
    );
    for (let i = 0; i < items.length; i += 500) {
      await store.upsert("recall", items.slice(i, i + 500));
    }
    let hits = 0;
    for (let round = 0; round < 20; round++) {
      const vector = Float32Array.from({ length: 384 }, random);
      const nearest = items
        .map((item) => ({ id: item.id, score: scoreOf("cosine", item.vector, vector) }))
        .sort((a, b) => b.score - a.score)
        .slice(0, 10);
      const found = await store.search("recall", { vector, k: 10 });
      hits += nearest.filter(({ id }) => found.some((match) => match.id === id)).length;
    }
    console.log(`recall@10 ${hits / 200}`);
    await store.drop("recall");
    await store.close();
    expect(hits / 200).toBeGreaterThan(0.9);
  }, 300_000);
});
