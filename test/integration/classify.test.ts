import { hash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder, writeRandomClassifier } from "../support/model-folder.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

interface Answer {
  readonly predictions: { label: string; confidence: number; processing_time_ms: number }[];
  readonly results: { predictions?: unknown[]; error?: { code: string } }[];
  readonly error: { code: string; message: string; details?: { field: string; problem: string }[] };
  readonly request_id: string;
  readonly timestamp: string;
  readonly model_version: string;
}

const read = async (response: Response) => (await response.json()) as Answer;

describe("POST /classify", () => {
  let models: ModelFolder;
  let server: TestServer;
  beforeAll(async () => {
    models = await createModelFolder();
    await models.write();
    await models.write({ version: "1.1.0", bytes: writeRandomClassifier(2) });
    await models.write({ model: "other", bytes: writeRandomClassifier(3) });
    server = await startTestServer({
      "models.directory": models.path,
      "rate-limit.requests": "0",
      // The callers run in the server's own process, which therefore falls behind.
      "overload.max-event-loop-lag-ms": "0",
    });
  });
  afterAll(async () => {
    await server.drain();
    await models.remove();
  });

  test("answers one text with its best label, ids and time", async () => {
    const response = await server.classify({ text: "What a lovely day" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    const answer = await read(response);
    expect(answer.predictions).toEqual([
      {
        label: expect.stringMatching(/^(negative|positive)$/),
        confidence: expect.any(Number),
        processing_time_ms: expect.any(Number),
      },
    ]);
    expect(answer.predictions[0]?.confidence).toBeGreaterThanOrEqual(0.5);
    expect(answer.request_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(Math.abs(Date.parse(answer.timestamp) - Date.now())).toBeLessThan(5000);
  });

  test("top_k 0 gives all labels, best first, adding up to one", async () => {
    const { predictions } = await read(await server.classify({ text: "so so", top_k: 0 }));
    expect(predictions).toHaveLength(2);
    const [first, second] = predictions.map((one) => one.confidence);
    expect(first).toBeGreaterThanOrEqual(second ?? 1);
    expect((first ?? 0) + (second ?? 0)).toBeCloseTo(1, 5);
  });

  test("function_to_apply none gives raw scores and sigmoid scores that need not add up", async () => {
    const none = await read(
      await server.classify({ text: "fine", top_k: 0, function_to_apply: "none" }),
    );
    const sigmoid = await read(
      await server.classify({ text: "fine", top_k: 0, function_to_apply: "sigmoid" }),
    );
    const raw = none.predictions[0]?.confidence ?? 0;
    expect(sigmoid.predictions[0]?.confidence).toBeCloseTo(1 / (1 + Math.exp(-raw)), 4);
  });

  test("several texts are answered in order, each with its own result or error", async () => {
    const { results } = await read(await server.classify({ texts: ["good", " ", "bad"] }));
    expect(results.map((result) => result.error?.code ?? "ok")).toEqual([
      "ok",
      "invalid_argument",
      "ok",
    ]);
  });

  test("the version asked for answers, and the highest when none is asked for", async () => {
    const confidence = async (version?: string) => {
      const body = { text: "which one", top_k: 0, model_version: version };
      const answer = await read(await server.classify(body));
      return { version: answer.model_version, score: answer.predictions[0]?.confidence };
    };
    const latest = await confidence();
    expect(latest.version).toBe("1.1.0");
    expect(await confidence("1.1.0")).toEqual(latest);
    const old = await confidence("1.0.0");
    expect(old.version).toBe("1.0.0");
    expect(old.score).not.toBe(latest.score);
  });

  test("an unknown version or model is 404 and lists what exists", async () => {
    const version = await server.classify({ text: "x", model_version: "7.0.0" });
    expect(version.status).toBe(404);
    expect((await read(version)).error.message).toContain("1.0.0, 1.1.0");
    const model = await server.classify({ text: "x", model: "nope" });
    expect(model.status).toBe(404);
    expect((await read(model)).error.message).toContain("other, text-classification");
  });

  test("the same text gives the same scores alone, in a batch, from the cache and in any company", async () => {
    const texts = Array.from(
      { length: 200 },
      (_, i) => `text number ${i} is ${"very ".repeat(i % 7)}good`,
    );
    const alone: unknown[] = [];
    for (const text of texts.slice(0, 50)) {
      const { predictions } = await read(await server.classify({ text, model: "other" }));
      alone.push([predictions[0]?.label, predictions[0]?.confidence]);
    }
    const { results } = await read(await server.classify({ texts, model: "other" }));
    const together = results.map((result) => {
      const [first] = result.predictions as Answer["predictions"];
      return [first?.label, first?.confidence];
    });
    expect(together.slice(0, 50)).toEqual(alone);
  });

  test("500 different texts sent at once each get their own answer", async () => {
    const texts = Array.from({ length: 500 }, (_, i) => `caller ${i} says ${(i * 7919) % 1000}`);
    const ask = async (text: string) => {
      const response = await server.classify({ text, top_k: 0, model_version: "1.0.0" });
      const { predictions } = await read(response);
      return predictions.map(({ label, confidence }) => `${label} ${confidence}`).join();
    };
    const atOnce = await Promise.all(texts.map(ask));
    const fresh = await startTestServer({
      "models.directory": models.path,
      "rate-limit.requests": "0",
      "cache.store.driver": "none",
    });
    const oneByOne: string[] = [];
    for (const text of texts) {
      const body = { text, top_k: 0, model_version: "1.0.0" };
      const { predictions } = await read(await fresh.classify(body));
      oneByOne.push(predictions.map(({ label, confidence }) => `${label} ${confidence}`).join());
    }
    await fresh.drain();
    expect(atOnce).toEqual(oneByOne);
    expect(new Set(atOnce).size).toBeGreaterThan(450);
  });

  test("every wrong field is named with what was expected", async () => {
    const response = await server.classify({ text: 5, top_k: -1, modelversion: "1" });
    expect(response.status).toBe(400);
    const { error } = await read(response);
    expect(error.details?.map((detail) => detail.field)).toEqual(["text", "top_k", "modelversion"]);
  });

  test("Server-Timing says where the time went, also on refusals", async () => {
    const good = await server.classify({ text: `timing ${Math.PI}` });
    expect(good.headers.get("server-timing")).toMatch(
      /^auth;dur=[\d.]+, cache;desc=miss;dur=[\d.]+, tokenize;dur=[\d.]+, queue;dur=[\d.]+, infer;dur=[\d.]+, total;dur=[\d.]+$/,
    );
    const again = await server.classify({ text: `timing ${Math.PI}` });
    expect(again.headers.get("server-timing")).toContain("cache;desc=hit");
    for (const path of ["/health", "/nowhere", "/docs", "/openapi.json", "/metrics"]) {
      const response = await fetch(server.url + path);
      expect(response.headers.get("server-timing"), path).toMatch(/total;dur=/);
      expect(response.headers.get("x-content-type-options"), path).toBe("nosniff");
    }
  });

  test("request ids are unique; a caller's own comes back in the header alone", async () => {
    const answers = await Promise.all(
      [1, 2].map(() => server.classify({ text: "id" }, { "x-request-id": "order-4711" })),
    );
    expect(answers.map((answer) => answer.headers.get("x-request-id"))).toEqual([
      "order-4711",
      "order-4711",
    ]);
    const [first, second] = await Promise.all(answers.map(read));
    expect(first?.request_id).not.toBe(second?.request_id);
    const odd = await server.classify({ text: "id" }, { "x-request-id": "a b<c>" });
    expect(odd.headers.get("x-request-id")).toBe((await read(odd)).request_id);
  });

  test("a caller's deadline is checked", async () => {
    const wrong = await server.classify({ text: "x" }, { "x-request-timeout-ms": "soon" });
    expect(wrong.status).toBe(400);
    expect((await read(wrong)).error.details?.[0]?.field).toBe("x-request-timeout-ms");
    const right = await server.classify({ text: "x" }, { "x-request-timeout-ms": "5000" });
    expect(right.status).toBe(200);
  });

  test("wrong methods, addresses and media types have their own statuses", async () => {
    const method = await fetch(`${server.url}/classify`);
    expect([method.status, method.headers.get("allow")]).toEqual([405, "POST"]);
    expect((await fetch(`${server.url}/classifyy`)).status).toBe(404);
    const media = await fetch(`${server.url}/classify`, { method: "POST", body: "text=good" });
    expect(media.status).toBe(415);
    expect((await read(media)).error.message).toContain("Content-Type: application/json");
    expect((await fetch(`${server.url}/health`, { method: "HEAD" })).status).toBe(200);
  });

  test("a body over the limit is 413 and the server goes on", async () => {
    const response = await server.classify({ text: "x".repeat(2_000_000) });
    expect(response.status).toBe(413);
    expect((await server.classify({ text: "still there" })).status).toBe(200);
  });
});

describe("who may ask", () => {
  const key = "slc_test-key";
  const keys = JSON.stringify([
    { id: "shop", sha256: hash("sha256", key, "hex") },
    { id: "old", sha256: hash("sha256", "slc_old", "hex"), expiresAt: "2020-01-01T00:00:00Z" },
    { id: "tiny", sha256: hash("sha256", "slc_tiny", "hex"), rateLimitRequests: 1 },
  ]);
  let models: ModelFolder;
  let server: TestServer;
  beforeAll(async () => {
    models = await createModelFolder();
    await models.write();
    server = await startTestServer({
      "models.directory": models.path,
      "auth.required": "always",
      "auth.keys": keys,
      "rate-limit.requests": "3",
    });
  });
  afterAll(async () => {
    await server.drain();
    await models.remove();
  });

  test("without a key, with a wrong one or with an expired one the answer is 401", async () => {
    for (const headers of [
      {},
      { authorization: "Bearer wrong" },
      { authorization: "Basic abc" },
      { "x-api-key": "slc_old" },
    ]) {
      const response = await server.classify({ text: "x" }, headers as Record<string, string>);
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toContain("Bearer");
    }
    expect((await fetch(`${server.url}/metrics`)).status).toBe(401);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    expect((await fetch(`${server.url}/openapi.json`)).status).toBe(200);
  });

  test("each key has its own allowance, told in headers, and 429 says when to come back", async () => {
    const answers: Response[] = [];
    for (let i = 0; i < 4; i++) {
      const headers = i % 2 === 0 ? { "x-api-key": key } : { authorization: `Bearer ${key}` };
      answers.push(await server.classify({ text: "x" }, headers as Record<string, string>));
    }
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 429]);
    expect(answers[0]?.headers.get("ratelimit-policy")).toBe('"default";q=3;w=60');
    expect(answers[0]?.headers.get("ratelimit")).toMatch(/^"default";r=2;t=\d+$/);
    const refused = answers[3];
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(refused === undefined ? "" : (await read(refused)).error.code).toBe("rate_limited");

    const own = { "x-api-key": "slc_tiny" };
    const statuses = [
      await server.classify({ text: "x" }, own),
      await server.classify({ text: "x" }, own),
    ];
    expect(statuses.map((answer) => answer.status)).toEqual([200, 429]);
  });
});
