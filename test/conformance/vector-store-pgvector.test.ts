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

  /** Says something to the server beside the store. */
  const tell = async (...statements: string[]) => {
    const { default: pg } = await import("pg");
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  const itemsOf = async (store: Awaited<ReturnType<typeof open>>, name: string) =>
    (await store.list()).find((one) => one.name === name)?.items;

  test("a full disk is told with the fix, no part of the call is there, and room helps", async () => {
    const store = await open();
    await store.create({ name: "full", dimensions: 2, metric: "l2", origin: "test" });
    await store.upsert("full", [toVectorItem("kept", [1, 1])]);
    // The server's own error for a full disk, raised in the middle of a call: the disk of this server is memory.
    await tell(
      `CREATE FUNCTION refuse_third() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.id = 'third' THEN
          RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full';
        END IF;
        RETURN NEW;
      END $$`,
      `DO $$ DECLARE number bigint; BEGIN
        SELECT c.number INTO number FROM sluice_vector_collections c WHERE c.name = 'full';
        EXECUTE format('CREATE TRIGGER full_disk BEFORE INSERT ON sluice_vectors_%s
          FOR EACH ROW EXECUTE FUNCTION refuse_third()', number);
      END $$`,
    );
    const items = ["first", "second", "third"].map((id, i) => toVectorItem(id, [i, i]));
    await expect(store.upsert("full", items)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/vectors\.store\.url has no room on its disk; free some/),
    });
    expect(await itemsOf(store, "full")).toBe(1);
    await tell("DROP FUNCTION refuse_third CASCADE");
    await store.upsert("full", items);
    expect(await itemsOf(store, "full")).toBe(4);
    await store.drop("full");
    await store.close();
  });

  test("a server that only reads is told with the fix, and is used again when it writes", async () => {
    const store = await open();
    await store.create({ name: "read", dimensions: 2, metric: "l2", origin: "test" });
    await store.close();
    await tell("ALTER ROLE postgres SET default_transaction_read_only = on");
    await tell("SET default_transaction_read_only = on");
    const reading = await open().catch((error: unknown) => error);
    await tell("SET default_transaction_read_only = off");
    await tell("ALTER ROLE postgres RESET default_transaction_read_only");
    expect(reading).toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/vectors\.store\.url only reads; name the primary one/),
    });
    const again = await open();
    await again.upsert("read", [toVectorItem("a", [1, 1])]);
    expect(await itemsOf(again, "read")).toBe(1);
    await again.drop("read");
    await again.close();
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
