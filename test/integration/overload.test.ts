import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KeepAliveClient } from "../support/keep-alive-client.ts";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder, writeSlowModel } from "../support/model-folder.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

describe("a model that is slower than its callers", () => {
  let models: ModelFolder;
  let server: TestServer;
  beforeAll(async () => {
    models = await createModelFolder();
    await models.write({ bytes: writeSlowModel(80) });
    server = await startTestServer({
      "models.directory": models.path,
      "rate-limit.requests": "0",
      "batching.max-queue-wait-ms": "100",
      "batching.max-batch-items": "4",
    });
    await server.classify({ texts: Array.from({ length: 64 }, (_, i) => `warm ${i}`) });
  });
  afterAll(async () => {
    await server.drain();
    await models.remove();
  });

  test("callers beyond what it can serve get 429 with Retry-After at once, and nothing else goes wrong", async () => {
    const clients = Array.from({ length: 200 }, () => new KeepAliveClient(server.url));
    const endMs = performance.now() + 3000;
    const answers: { status: number; durationMs: number; retryAfter: unknown }[] = [];
    let sent = 0;
    await Promise.all(
      clients.map(async (client) => {
        while (performance.now() < endMs) {
          const { status, durationMs, headers } = await client.classify({ text: `text ${sent++}` });
          answers.push({ status, durationMs, retryAfter: headers["retry-after"] });
          if (status === 429) await new Promise((resolve) => setTimeout(resolve, 50));
        }
        client.close();
      }),
    );
    const accepted = answers.filter((answer) => answer.status === 200);
    const refused = answers.filter((answer) => answer.status === 429);
    expect(accepted.length + refused.length).toBe(answers.length);
    expect(accepted.length).toBeGreaterThan(10);
    expect(refused.length).toBeGreaterThan(accepted.length);
    expect(refused.every((answer) => Number(answer.retryAfter) >= 1)).toBe(true);
    const median = (list: { durationMs: number }[]) =>
      list.map((one) => one.durationMs).sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
    expect(median(refused)).toBeLessThan(median(accepted));
  });

  test("a caller whose deadline is too near is told so and its text is not computed", async () => {
    const company = Array.from({ length: 20 }, (_, i) => server.classify({ text: `company ${i}` }));
    const late = await server.classify({ text: "in a hurry" }, { "x-request-timeout-ms": "1" });
    expect([429, 504]).toContain(late.status);
    await Promise.all(company);
  });
});

test("a caller that goes away while it waits frees its place and is not computed for", async () => {
  const models = await createModelFolder();
  await models.write({ bytes: writeSlowModel(80) });
  const server = await startTestServer({
    "models.directory": models.path,
    "batching.max-queue-wait-ms": "600000",
    "batching.max-batch-items": "4",
  });
  const { batcher } = server.inference.pipeline.registry.resolve("text-classification", undefined);
  const company = server.classify({ texts: Array.from({ length: 200 }, (_, i) => `company ${i}`) });
  await expect.poll(() => batcher.queuedItems).toBeGreaterThan(100);
  const before = batcher.outstandingItems;
  const controller = new AbortController();
  const leaving = fetch(`${server.url}/classify`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ texts: Array.from({ length: 300 }, (_, i) => `leaving ${i}`) }),
    signal: controller.signal,
  }).catch(() => "gone");
  await expect.poll(() => batcher.outstandingItems, { interval: 5 }).toBeGreaterThan(before);
  controller.abort();
  expect(await leaving).toBe("gone");
  await company;
  await expect.poll(() => batcher.outstandingItems).toBe(0);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const cancelled = /ai_model_failures_total\{[^}]*code="cancelled"\} (\d+)/.exec(metrics)?.[1];
  // The last of the company were being computed when the caller left; of its own 300 hardly any can have run.
  expect(Number(cancelled)).toBeGreaterThan(200);
  await server.drain();
  await models.remove();
});
