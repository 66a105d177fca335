import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const MODELS = fileURLToPath(new URL("../../models", import.meta.url));
const SHARED = {
  "models.directory": MODELS,
  "models.defaultVersions": '{"text-classification":"1.0.0"}',
  "engine.refreshMs": "100",
  "cache.store.driver": "none",
};
const startEngine = (flags: Readonly<Record<string, string>> = {}) =>
  startTestServer({ ...SHARED, role: "engine", "engine.port": "0", ...flags });
const startGateway = (urls: readonly string[]) =>
  startTestServer({ ...SHARED, role: "gateway", "engine.urls": JSON.stringify(urls) });

interface Classified {
  readonly model_version: string;
  readonly predictions: readonly { label: string; confidence: number }[];
}

async function classify(server: TestServer, body: object): Promise<Classified> {
  const answer = await server.classify(body);
  expect(answer.status, await answer.clone().text()).toBe(200);
  return (await answer.json()) as Classified;
}

async function until(isTrue: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error("It did not come to be in time.");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("a gateway in front of an engine", () => {
  let engine: TestServer;
  let gateway: TestServer;
  beforeAll(async () => {
    engine = await startEngine();
    gateway = await startGateway([engine.url]);
  });
  afterAll(async () => {
    await gateway.drain();
    await engine.drain();
  });

  test("answers what the engine would, whatever is asked of the scores", async () => {
    for (const text of [
      "The battery lasts all day.",
      "Awful.",
      "这家店的服务很好，下次还会再来。",
    ]) {
      for (const options of [
        {},
        { top_k: 0 },
        { function_to_apply: "none" },
        { abstain_below: 1 },
      ]) {
        const [here, there] = await Promise.all([
          classify(gateway, { text, ...options }),
          classify(engine, { text, ...options }),
        ]);
        expect(here.model_version).toBe(there.model_version);
        expect(here.predictions.map(({ label }) => label)).toEqual(
          there.predictions.map(({ label }) => label),
        );
        for (const [index, { confidence }] of here.predictions.entries()) {
          expect(confidence).toBeCloseTo(there.predictions[index]?.confidence ?? Number.NaN, 5);
        }
      }
    }
  });

  test("lists the engine's models with what they can say", async () => {
    const read = async (server: TestServer) => {
      const answer = await fetch(`${server.url}/models`);
      const { models } = (await answer.json()) as { models: Record<string, unknown>[] };
      return models.map(({ model, version, state, task, labels, languages }) => ({
        model,
        version,
        state,
        task,
        labels,
        languages,
      }));
    };
    expect(await read(gateway)).toEqual(await read(engine));
  });

  test("tells that a text was too long for the model, as the engine found it", async () => {
    const text = "A fine day at the beach with friends. ".repeat(120);
    const ask = { text, model_version: "2.0.0" };
    const there = (await classify(engine, ask)) as Classified & { windows?: number };
    const here = (await classify(gateway, ask)) as Classified & { windows?: number };
    expect(there.windows).toBeGreaterThan(1);
    expect(here.windows).toBe(there.windows);
  });

  test("one bad text fails alone, in the engine's words", async () => {
    const answer = await gateway.classify({ texts: ["Fine.", " ", "x".repeat(6000), "Awful."] });
    const { results } = (await answer.json()) as { results: { error?: object }[] };
    expect(results.map(({ error }) => error === undefined)).toEqual([true, false, false, true]);
  });

  test("an unknown version is 404, and the engine counts no allowance of the gateway's", async () => {
    expect((await gateway.classify({ text: "a", model_version: "9.0.0" })).status).toBe(404);
    const toEngine = await engine.classify({ text: "a" });
    expect(toEngine.headers.get("ratelimit")).toBeNull();
    expect((await gateway.classify({ text: "a" })).headers.get("ratelimit")).not.toBeNull();
  });
});

test("a gateway that starts before its engine is not ready, and serves as soon as there is one", async () => {
  const first = await startEngine();
  const { port } = new URL(first.url);
  await first.drain();
  const gateway = await startGateway([first.url]);
  expect((await fetch(`${gateway.url}/health/ready`)).status).toBe(503);
  expect((await gateway.classify({ text: "a" })).status).toBe(404);
  const engine = await startEngine({ "engine.port": port });
  await until(async () => (await fetch(`${gateway.url}/health/ready`)).status === 200);
  await classify(gateway, { text: "There it is." });
  await gateway.drain();
  await engine.drain();
});

test("an engine that ends under load, and one that comes back, cost no request that the other can take", async () => {
  let first = await startEngine();
  const second = await startEngine();
  const gateway = await startGateway([first.url, second.url]);
  const { port } = new URL(first.url);
  const statuses = new Map<number, number>();
  let running = true;
  let sent = 0;
  const caller = async () => {
    while (running) {
      const { status } = await gateway.classify({ text: `Day ${sent++} was fine.` });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  const callers = Array.from({ length: 8 }, caller);
  for (let round = 0; round < 2; round++) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await first.drain();
    await new Promise((resolve) => setTimeout(resolve, 300));
    first = await startEngine({ "engine.port": port });
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  running = false;
  await Promise.all(callers);
  expect(Object.fromEntries(statuses)).toEqual({ 200: expect.any(Number) });
  expect(statuses.get(200)).toBeGreaterThan(50);
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  expect(metrics).toContain(`sluice_remote_requests_total{server="${second.url}",outcome="ok"}`);
  await gateway.drain();
  await first.drain();
  await second.drain();
}, 60_000);
