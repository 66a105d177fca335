import { existsSync } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const MODELS = new URL("../../models", import.meta.url).pathname;

let folder: string;
let path: string;
let server: TestServer;
const start = () =>
  startTestServer({
    "models.directory": MODELS,
    "vectors.store.path": path,
    "rateLimit.requests": "0",
  });
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-collections-"));
  path = join(folder, "deep/vectors.db");
  server = await start();
});
afterAll(async () => {
  await server.drain();
  await rm(folder, { recursive: true, force: true });
});

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any form
type Json = any;
const call = async (method: string, address: string, body?: object) => {
  const response = await fetch(new URL(address, server.url), {
    method,
    ...(body === undefined
      ? {}
      : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: (text === "" ? undefined : JSON.parse(text)) as Json };
};
const post = (address: string, body: object) => call("POST", address, body);

const EXAMPLES = [
  { text: "my card has not arrived yet", label: "card_arrival" },
  { text: "where is the card that I ordered", label: "card_arrival" },
  { text: "the new card is still not here", label: "card_arrival" },
  { text: "I was charged twice", label: "double_charge" },
  { text: "the payment was taken two times", label: "double_charge" },
  { text: "there are two withdrawals for one purchase", label: "double_charge" },
];

test("looking at collections that do not exist makes no file", async () => {
  expect((await call("GET", "/v1/collections")).json).toEqual({ collections: [] });
  expect((await call("GET", "/v1/collections/none")).status).toBe(404);
  expect((await post("/v1/collections/none/search", { text: "a" })).status).toBe(404);
  expect((await post("/classify", { text: "a", neighbors: 1 })).status).toBe(404);
  expect((await call("DELETE", "/v1/collections/none")).status).toBe(404);
  expect(existsSync(path)).toBe(false);
});

describe("items", () => {
  test("are made vectors by the model of embeddings that there is, in a collection that comes into being", async () => {
    const { status, json } = await post("/v1/collections/notes/items", { items: EXAMPLES });
    expect(status).toBe(200);
    expect(json.stored).toBe(6);
    expect(new Set(json.ids).size).toBe(6);
    expect((await call("GET", "/v1/collections/notes")).json).toEqual({
      name: "notes",
      items: 6,
      dimensions: 384,
      metric: "cosine",
      model: "text-embedding",
      model_version: "1.0.0",
    });
    expect((await stat(path)).mode & 0o077).toBe(0);
  });

  test("are found by meaning, and by label and metadata", async () => {
    await post("/v1/collections/notes/items", {
      items: [{ id: "spare", text: "a spare card came today", metadata: { lang: "en", n: 1 } }],
    });
    const text = "still waiting for my bank card";
    const { json } = await post("/v1/collections/notes/search", { text, k: 3 });
    expect(json.matches[0]).toMatchObject({ label: "card_arrival", metadata: {} });
    expect(json.matches[0].score).toBeGreaterThan(json.matches[2].score);
    const ofLabel = { text, k: 2, filter: { label: "double_charge" } };
    const charged = await post("/v1/collections/notes/search", ofLabel);
    expect(charged.json.matches.map(({ label }: Json) => label)).toEqual([
      "double_charge",
      "double_charge",
    ]);
    const ofLanguage = { text, filter: { metadata: { lang: "en" } } };
    const found = await post("/v1/collections/notes/search", ofLanguage);
    expect(found.json.matches.map(({ id }: Json) => id)).toEqual(["spare"]);
  });

  test("the same text again is the same item, with its new label", async () => {
    const items = [{ text: "is this a duplicate", label: "first" }];
    const once = await post("/v1/collections/again/items", { items });
    const twice = await post("/v1/collections/again/items", {
      items: [{ ...items[0], label: "second" }],
    });
    expect(twice.json.ids).toEqual(once.json.ids);
    const { json } = await call("GET", "/v1/collections/again/items");
    expect(json).toMatchObject({ items: [{ label: "second" }], next: null });
  });

  test("are listed in pages, with their vectors where asked, and removed", async () => {
    const items = Array.from({ length: 5 }, (_, i) => ({ id: `i${i}`, vector: [i + 1, 1, 0] }));
    await post("/v1/collections/own/items", { items });
    const first = await call("GET", "/v1/collections/own/items?limit=3&vectors=true");
    expect(first.json.items.map(({ id }: Json) => id)).toEqual(["i0", "i1", "i2"]);
    expect(first.json.items[0].vector).toEqual([1, 1, 0]);
    const rest = await call("GET", `/v1/collections/own/items?limit=3&after=${first.json.next}`);
    expect(rest.json.items.map(({ id }: Json) => id)).toEqual(["i3", "i4"]);
    expect((await call("DELETE", "/v1/collections/own/items/i0")).json).toEqual({ removed: 1 });
    const more = await post("/v1/collections/own/delete", { ids: ["i0", "i1", "i2"] });
    expect(more.json).toEqual({ removed: 2 });
    expect((await call("DELETE", "/v1/collections/own")).status).toBe(204);
    expect((await call("GET", "/v1/collections/own")).status).toBe(404);
  });

  test("are there after a restart", async () => {
    await server.drain();
    server = await start();
    const { json } = await post("/v1/collections/notes/search", {
      text: "charged two times",
      k: 1,
    });
    expect(json.matches[0].label).toBe("double_charge");
  });
});

describe("teaching by example", () => {
  test("labels that the model never saw are given as soon as they are taught", async () => {
    await post("/v1/collections/examples/items", { items: EXAMPLES });
    const { json } = await post("/classify", {
      text: "still waiting for my bank card",
      neighbors: 3,
      examples_weight: 1,
    });
    expect(json.predictions[0].label).toBe("card_arrival");
    expect(json.predictions[0].confidence).toBeGreaterThan(0.9);
    expect(json.neighbors).toHaveLength(3);
    expect(json.neighbors[0]).toMatchObject({ label: "card_arrival", text: expect.any(String) });
  });

  test("without a weight the neighbours are shown and change nothing", async () => {
    const text = "what a lovely day";
    const plain = await post("/classify", { text });
    const near = await post("/classify", { text, neighbors: 2, collection: "notes" });
    expect(near.json.predictions[0].label).toBe(plain.json.predictions[0].label);
    expect(near.json.predictions[0].confidence).toBe(plain.json.predictions[0].confidence);
    expect(near.json.neighbors).toHaveLength(2);
    expect(plain.json.neighbors).toBeUndefined();
  });

  test("of several texts a bad one fails alone", async () => {
    const { status, json } = await post("/classify", {
      texts: ["I paid twice", " ", "no card in the post"],
      examples_weight: 1,
    });
    expect(status).toBe(200);
    const [paid, blank, post_] = json.results;
    expect(paid.predictions[0].label).toBe("double_charge");
    expect(blank.error.code).toBe("invalid_argument");
    expect(post_.predictions[0].label).toBe("card_arrival");
  });

  test("examples tell how well they tell each other, alone and with the model", async () => {
    const { json } = await post("/v1/collections/examples/evaluate", {
      k: 3,
      model: "text-classification",
    });
    expect(json).toMatchObject({ k: 3, examples: 6, complete: true });
    expect(json.accuracy).toBeGreaterThanOrEqual(5 / 6);
    expect(json.labels.map(({ label }: Json) => label)).toEqual(["card_arrival", "double_charge"]);
    expect(json.blends[0]).toEqual({ examples_weight: 0, accuracy: 0 });
    expect(json.blends.at(-1).accuracy).toBe(json.accuracy);
    expect(json.best_examples_weight).toBeGreaterThan(0);
    const some = await post("/v1/collections/examples/evaluate", { max_examples: 4 });
    expect(some.json).toMatchObject({ examples: 4, complete: false, best_examples_weight: null });
  });
});

describe("every mistake has an answer that names the field", () => {
  const of = (name: string) => `/v1/collections/${name}`;
  test.each([
    ["a bad name", () => post(of("Bad%20Name/items"), { items: [{ text: "a" }] }), 400, "name"],
    ["no items", () => post(of("notes/items"), { items: [] }), 400, "items"],
    ["an item of nothing", () => post(of("notes/items"), { items: [{}] }), 400, "items[0]"],
    ["an item that is none", () => post(of("notes/items"), { items: [3] }), 400, "items[0]"],
    [
      "an unknown field",
      () => post(of("notes/items"), { items: [{ text: "a", weight: 1 }] }),
      400,
      "items[0].weight",
    ],
    [
      "a vector of another length",
      () => post(of("notes/items"), { items: [{ text: "a" }, { vector: [1, 2] }] }),
      400,
      "items[1].vector",
    ],
    [
      "a text that is too long",
      () => post(of("notes/items"), { items: [{ text: "x".repeat(6000) }] }),
      400,
      "items[0].text",
    ],
    [
      "a blank text",
      () => post(of("notes/items"), { items: [{ text: "a" }, { text: " " }] }),
      400,
      "items[1].text",
    ],
    [
      "metadata of lists",
      () => post(of("notes/items"), { items: [{ text: "a", metadata: { x: [] } }] }),
      400,
      "items[0].metadata.x",
    ],
    ["no query", () => post(of("notes/search"), {}), 400, "text"],
    ["both queries", () => post(of("notes/search"), { text: "a", vector: [1] }), 400, "text"],
    ["a k of 0", () => post(of("notes/search"), { text: "a", k: 0 }), 400, "k"],
    [
      "a wrong filter",
      () => post(of("notes/search"), { text: "a", filter: { tag: 1 } }),
      400,
      "filter.tag",
    ],
    [
      "a model that classifies",
      () => post("/v1/collections", { name: "x", model: "text-classification" }),
      400,
      "model",
    ],
    [
      "other constants",
      () => post("/v1/collections", { name: "notes", metric: "l2" }),
      400,
      "metric",
    ],
    ["a metric of none", () => post("/v1/collections", { name: "x", metric: "x" }), 400, "metric"],
    [
      "a text for vectors of callers",
      async () => {
        await post("/v1/collections", { name: "mine", dimensions: 3 });
        return post(of("mine/search"), { text: "a" });
      },
      400,
      "text",
    ],
    [
      "neighbours of a pair",
      () => post("/classify", { text: "a", pair: "b", neighbors: 1 }),
      400,
      "pair",
    ],
    ["101 neighbours", () => post("/classify", { text: "a", neighbors: 101 }), 400, "neighbors"],
    [
      "a weight of 2",
      () => post("/classify", { text: "a", examples_weight: 2 }),
      400,
      "examples_weight",
    ],
    [
      "a weight against raw outputs",
      () => post("/classify", { text: "a", examples_weight: 1, function_to_apply: "none" }),
      400,
      "function_to_apply",
    ],
    ["one example", () => post(of("again/evaluate"), {}), 400, undefined],
    ["a wrong page", () => call("GET", of("notes/items?limit=x")), 400, "limit"],
  ])("%s", async (_name, ask, status, field) => {
    const answer = await ask();
    expect(answer.status).toBe(status);
    if (field === undefined) return;
    expect(answer.json.error.details.map((one: Json) => one.field)).toContain(field);
  });

  test("nothing of a call that failed is stored", async () => {
    const { json } = await call("GET", "/v1/collections/notes");
    expect(json.items).toBe(7);
  });
});
