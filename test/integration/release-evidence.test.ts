import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NEGATIVE_OPINIONS, POSITIVE_OPINIONS } from "../support/opinions.ts";
import { ReleaseServer } from "../support/release-server.ts";
import type { ScriptedHttpServer } from "../support/scripted-http-server.ts";
import { startScriptedHttpServer } from "../support/scripted-http-server.ts";

const MODEL = "text-classification";
const SWAPPED = { labels: ["positive", "negative"] };
const ITEMS = [
  ...POSITIVE_OPINIONS.map((text) => ({ text, label: "positive" })),
  ...NEGATIVE_OPINIONS.map((text) => ({ text, label: "negative" })),
];

let bench: ReleaseServer;
beforeEach(async () => {
  bench = await ReleaseServer.create();
});
afterEach(() => bench.close());

/** Asks some texts, each once. @returns the ids of the requests */
async function askTexts(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < count; at++) {
    const text = `${ITEMS[at % ITEMS.length]?.text} ${at}`;
    const answer = (await (await bench.server.classify({ text })).json()) as { request_id: string };
    ids.push(answer.request_id);
  }
  return ids;
}

/** Waits until texts were kept, which happens in the background. */
async function keepTexts(count: number): Promise<void> {
  await askTexts(count);
  await new Promise((resolve) => setTimeout(resolve, 1500));
}

describe("quiet hours", () => {
  const QUIET = {
    ...{ max_inconclusive: 6, replay: { kind: "sample", after_inconclusive: 2, max_texts: 60 } },
    // The time of runs says little with so few of them.
    metrics: [
      { name: "errors", kind: "success_rate", min_ratio: 0.9 },
      { name: "disagreement", kind: "label_disagreement", max_ratio: 0.1 },
    ],
  };
  const steps = async (id: string) => {
    const { events } = await bench.ask<{ events: { action: string; message: string }[] }>(
      `/v1/releases/${id}/history?limit=100`,
    );
    return events.map(({ action }) => action).toReversed();
  };

  test("are held, and then decided by replay: a good version goes live", {
    timeout: 60_000,
  }, async () => {
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start({ "feedback.sampleRate": "1" });
    await keepTexts(80);
    const { id } = await bench.release(QUIET);
    const ended = await bench.waitFor(id);
    expect(ended).toMatchObject({ phase: "succeeded" });
    const taken = await steps(id);
    // Each of both steps is held, then decided; promotion has nobody to watch.
    expect(taken).toEqual([
      ...["start", "advance"],
      ...["hold", "replay", "advance"],
      ...["hold", "replay", "promote"],
      ...["finalise", "finish"],
    ]);
  });

  test("a bad one goes back, though nobody has met it", { timeout: 60_000 }, async () => {
    await bench.addVersion("1.0.0", "1.1.0", SWAPPED);
    await bench.start({ "feedback.sampleRate": "1" });
    await keepTexts(80);
    const { id } = await bench.release(QUIET);
    const ended = await bench.waitFor(id);
    expect(ended).toMatchObject({ phase: "failed", step: 1 });
    expect(ended.reason).toContain("disagreement: 100 % of 60");
    expect(await steps(id)).toEqual(["start", "advance", "hold", "replay", "rollback", "finish"]);
    const metrics = await (await fetch(`${bench.server.url}/metrics`)).text();
    const counted = metrics.split("\n").filter((line) => line.includes(`:1.1.0"`));
    const answers = counted.filter((line) => /^ai_model_(answers|predictions)_total/.test(line));
    expect(answers.filter((line) => !line.endsWith(" 0"))).toEqual([]);
  });

  test("without kept texts wait for a person", { timeout: 60_000 }, async () => {
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start();
    await askTexts(30);
    const { id } = await bench.release({ ...QUIET, max_inconclusive: 3 });
    const paused = await bench.waitFor(id, ["paused"]);
    expect(paused).toMatchObject({ phase: "paused", step: 1 });
    expect(await steps(id)).not.toContain("replay");
  });
});

describe("a gate set", () => {
  const GATE = { name: "gate", kind: "gate_accuracy", gate_set: "opinions", min_ratio: 0.9 };
  const ERRORS = { name: "errors", kind: "success_rate", min_ratio: 0.9 };

  test("keeps a bad version from every caller", { timeout: 60_000 }, async () => {
    await bench.addVersion("1.0.0", "1.1.0", SWAPPED);
    await bench.start();
    await bench.ask("/v1/gate-sets/opinions", { items: ITEMS }, "PUT");
    const { id } = await bench.release({ metrics: [GATE, ERRORS] });
    const [ended, { versions }] = await bench.callUntil(id);
    expect(ended).toMatchObject({ phase: "failed", step: 0 });
    expect(ended.reason).toMatch(/^gate: \d+(\.\d+)? % of \d+ is below 90 %/);
    expect(new Set(versions)).toEqual(new Set(["1.0.0"]));
  });

  test("lets a good one go live, and shows what both know", { timeout: 60_000 }, async () => {
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start();
    await bench.ask("/v1/gate-sets/opinions", { items: ITEMS }, "PUT");
    const { id } = await bench.release({
      metrics: [{ ...GATE, max_drop: 0.01 }, ERRORS],
      strategy: { kind: "canary", step_weights: [50] },
    });
    const [ended] = await bench.callUntil(id);
    expect(ended).toMatchObject({ phase: "succeeded" });
    const check = ended.checks.find(({ name }) => name === "gate");
    expect(check).toMatchObject({ outcome: "pass", samples: ITEMS.length });
    expect(check?.value).toBeGreaterThan(0.9);
    expect(check?.value).toBe(check?.stable_value);
  });

  test("that is removed gives no verdict", { timeout: 60_000 }, async () => {
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start();
    await bench.ask("/v1/gate-sets/opinions", { items: ITEMS }, "PUT");
    const plan = { metrics: [GATE, ERRORS], max_inconclusive: 2, replay: { kind: "off" } };
    const { id } = await bench.release({
      ...plan,
      strategy: { kind: "canary", step_weights: [50] },
      interval_ms: 1500,
    });
    await bench.waitFor(id, ["progressing"]);
    await bench.ask("/v1/gate-sets/opinions", undefined, "DELETE");
    const [paused] = await bench.callUntil(id, ["paused"]);
    expect(paused.reason).toContain("gate: the candidate was not asked the set yet");
  });

  test("that is not there refuses the plan", async () => {
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start();
    const refused = await bench.ask<{ error: object }>("/v1/releases", {
      ...{ model: MODEL, candidate: "1.1.0", metrics: [GATE, ERRORS] },
    });
    expect(refused.error).toMatchObject({
      code: "invalid_argument",
      details: [{ field: "metrics[0].gate_set", problem: expect.stringContaining("PUT /v1/gate") }],
    });
  });
});

describe("feedback", () => {
  test("rolls back a version that people find wrong, though it never fails", {
    timeout: 60_000,
  }, async () => {
    await bench.addVersion("1.0.0", "1.1.0", SWAPPED);
    await bench.start();
    const { id } = await bench.release({
      strategy: { kind: "canary", step_weights: [50] },
      metrics: [{ name: "people", kind: "feedback_accuracy", min_ratio: 0.7 }],
    });
    await bench.waitFor(id, ["progressing"]);
    await expect.poll(async () => (await bench.find(id)).step).toBe(1);
    for (let at = 0; at < 400; at++) {
      const item = ITEMS[at % ITEMS.length];
      const response = await bench.server.classify({ text: `${item?.text} ${at}` });
      const { request_id } = (await response.json()) as { request_id: string };
      await bench.ask("/v1/feedback", { request_id, label: item?.label });
      if ((await bench.find(id)).phase === "failed") break;
    }
    const ended = await bench.waitFor(id);
    expect(ended).toMatchObject({ phase: "failed", step: 1 });
    expect(ended.reason).toContain("people:");
    const { versions } = await bench.ask<{
      versions: { model_version: string; accuracy: number }[];
    }>(`/v1/feedback?model=${MODEL}`);
    const [stable, candidate] = versions;
    expect(stable).toMatchObject({ model_version: "1.0.0" });
    expect(stable?.accuracy).toBeGreaterThan(0.8);
    expect(candidate).toMatchObject({ model_version: "1.1.0" });
    expect(candidate?.accuracy).toBeLessThan(0.2);
  });
});

describe("a server of metrics", () => {
  let prometheus: ScriptedHttpServer | undefined;
  afterEach(() => prometheus?.kill());

  /** Answers every query with this number, or not at all. */
  const startMetrics = async (value: () => string | undefined) => {
    const queries: (string | null)[] = [];
    prometheus = await startScriptedHttpServer((_request, response, body) => {
      queries.push(new URLSearchParams(body.toString()).get("query"));
      const found = value();
      if (found === undefined) response.writeHead(503).end("away");
      else {
        const result = [{ metric: {}, value: [1, found] }];
        response.end(JSON.stringify({ status: "success", data: { resultType: "vector", result } }));
      }
    });
    return { queries, url: prometheus.url };
  };
  const QUERY = {
    ...{ name: "conversions", kind: "query", min: 0.5 },
    query: 'sum(rate(sales{model="{{model}}",version="{{candidate}}"}[{{interval}}]))',
  };

  test("has a say", { timeout: 60_000 }, async () => {
    const { queries, url } = await startMetrics(() => "0.25");
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start({ "releases.metricsUrl": url });
    const { id } = await bench.release({ metrics: [QUERY] });
    const ended = await bench.waitFor(id);
    expect(ended).toMatchObject({
      phase: "failed",
      step: 1,
      reason: expect.stringContaining("0.25 is below 0.5"),
    });
    expect(queries[0]).toBe(`sum(rate(sales{model="${MODEL}",version="1.1.0"}[1s]))`);
  });

  test("that is away gives no verdict, and keeps no rollback from happening", {
    timeout: 60_000,
  }, async () => {
    const { url } = await startMetrics(() => undefined);
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start({ "releases.metricsUrl": url });
    const { id } = await bench.release({
      ...{ metrics: [QUERY], max_inconclusive: 2, replay: { kind: "off" } },
    });
    expect(await bench.waitFor(id, ["paused"])).toMatchObject({ phase: "paused", step: 1 });
    await bench.ask(`/v1/releases/${id}/rollback`, {});
    expect(await bench.waitFor(id)).toMatchObject({ phase: "failed", weight: 0 });
  });

  test("that there is none of refuses the plan", async () => {
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start();
    const refused = await bench.ask<{ error: object }>("/v1/releases", {
      ...{ model: MODEL, candidate: "1.1.0", metrics: [QUERY] },
    });
    expect(refused.error).toMatchObject({
      details: [
        { field: "metrics[0].kind", problem: expect.stringContaining("releases.metricsUrl") },
      ],
    });
  });
});
