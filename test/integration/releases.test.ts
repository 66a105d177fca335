import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createModelFolder } from "../support/model-folder.ts";
import { writeFragileClassifier } from "../support/onnx-fixtures.ts";
import { NEGATIVE_OPINIONS, POSITIVE_OPINIONS } from "../support/opinions.ts";
import type { SeenRelease } from "../support/release-server.ts";
import { QUICK_PLAN, ReleaseServer } from "../support/release-server.ts";

const OPINIONS = [...POSITIVE_OPINIONS, ...NEGATIVE_OPINIONS];

let bench: ReleaseServer;
beforeEach(async () => {
  bench = await ReleaseServer.create();
});
afterEach(() => bench.close());

describe("a release", () => {
  test("of a good version goes live step by step, and is what answers from then on", {
    timeout: 60_000,
  }, async () => {
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start();
    const { id, phase } = await bench.release();
    expect(["initializing", "progressing"]).toContain(phase);
    const [ended, { statuses, versions }] = await bench.callUntil(id);
    expect(ended).toMatchObject({ phase: "succeeded", weight: 100 });
    expect([...statuses.keys()]).toEqual([200]);
    expect(new Set(versions)).toEqual(new Set(["1.0.0", "1.1.0"]));
    const { events } = await bench.ask<{ events: { action: string; weight: number }[] }>(
      `/v1/releases/${id}/history?limit=100`,
    );
    const steps = events.filter(({ action }) => action === "advance").map(({ weight }) => weight);
    expect(steps.toReversed()).toEqual([30, 60]);
    for (const text of OPINIONS.slice(0, 5)) {
      const answer = await (await bench.server.classify({ text }))?.json();
      expect(answer).toMatchObject({ model_version: "1.1.0" });
    }
    await bench.server.drain();
    await bench.start();
    const answer = await (await bench.server.classify({ text: "good" }))?.json();
    expect(answer).toMatchObject({ model_version: "1.1.0" });
  });

  test("of a version with two labels swapped goes back at the first step, though it is fast and never fails", {
    timeout: 60_000,
  }, async () => {
    await bench.addVersion("1.0.0", "1.1.0", { labels: ["positive", "negative"] });
    await bench.start();
    const { id } = await bench.release();
    const [ended, { statuses }] = await bench.callUntil(id);
    expect(ended).toMatchObject({ phase: "failed", step: 1, weight: 0 });
    expect(ended.reason).toContain("disagreement");
    const outcomes = Object.fromEntries(ended.checks.map(({ name, outcome }) => [name, outcome]));
    expect(outcomes["success-rate"]).not.toBe("fail");
    expect(outcomes["latency-p99"]).not.toBe("fail");
    expect([...statuses.keys()]).toEqual([200]);
    const answer = await (await bench.server.classify({ text: "good" }))?.json();
    expect(answer).toMatchObject({ model_version: "1.0.0" });
  });

  test("of a slow version goes back on latency", { timeout: 60_000 }, async () => {
    await bench.addVersion("2.0.0", "2.0.0");
    await bench.start();
    const metrics = [
      { name: "errors", kind: "success_rate", min_ratio: 0.99 },
      {
        name: "latency",
        kind: "latency",
        quantile: 0.9,
        max_times_stable: 1.5,
        ignore_below_ms: 1,
      },
    ];
    const { id } = await bench.release({ candidate: "2.0.0", metrics });
    const [ended] = await bench.callUntil(id);
    expect(ended).toMatchObject({ phase: "failed", step: 1 });
    expect(ended.reason).toContain("latency");
  });

  test("goes to those who match, of an A/B release, and to nobody else", {
    timeout: 60_000,
  }, async () => {
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start();
    const matches = [{ source: "header", name: "X-Team", value: "blue" }];
    const { id } = await bench.release({ strategy: { kind: "ab", matches, iterations: 100 } });
    await bench.callUntil(id, ["progressing"]);
    const versionOf = async (headers: Record<string, string>) => {
      const response = await bench.server.classify({ text: `${Math.random()}` }, headers);
      return ((await response.json()) as { model_version: string }).model_version;
    };
    await expect.poll(() => versionOf({ "x-team": "blue" })).toBe("1.1.0");
    expect(await versionOf({ "x-team": "red" })).toBe("1.0.0");
    expect(await versionOf({})).toBe("1.0.0");
  });

  test("in the shadow compares and answers nobody, and is counted in no public metric", {
    timeout: 60_000,
  }, async () => {
    await bench.addVersion("1.0.0", "1.1.0", { labels: ["positive", "negative"] });
    await bench.start();
    const { id } = await bench.release({
      strategy: { kind: "shadow", share: 100, iterations: 3 },
      mirror_share: 0,
    });
    const [ended, { versions, statuses }] = await bench.callUntil(id);
    expect(ended).toMatchObject({ phase: "failed", step: 1 });
    expect(ended.reason).toContain("disagreement");
    expect(new Set(versions)).toEqual(new Set(["1.0.0"]));
    expect([...statuses.keys()]).toEqual([200]);
    const metrics = await (await fetch(`${bench.server.url}/metrics`)).text();
    const countsOf = (version: string, isCopy: boolean) =>
      metrics
        .split("\n")
        .filter((line) => /^ai_model_(?!loaded|queue_items)/.test(line))
        .filter((line) => /^ai_model_cop/.test(line) === isCopy)
        .filter((line) => line.includes(`:${version}"`) && !line.endsWith(" 0"));
    expect(countsOf("1.0.0", false)).not.toEqual([]);
    expect(countsOf("1.1.0", false)).toEqual([]);
    // What copies cost is said by itself.
    expect(countsOf("1.1.0", true)).toContainEqual(
      expect.stringMatching(/^ai_model_copies_total\{.*\} [1-9]\d*$/),
    );
    expect(countsOf("1.0.0", true)).toEqual([]);
  });

  test("of a version that breaks goes back, and costs nobody an answer", {
    timeout: 60_000,
  }, async () => {
    const models = await createModelFolder();
    try {
      await models.write();
      // A remainder that none of the texts has with which models are warmed.
      await models.write({ version: "1.1.0", bytes: writeFragileClassifier(2) });
      await bench.start({ "models.directory": models.path });
      const metrics = [{ name: "errors", kind: "success_rate", min_ratio: 0.99 }];
      const { id } = await bench.release({ metrics });
      const [ended, { statuses }] = await bench.callUntil(id);
      expect(ended).toMatchObject({ phase: "failed", step: 1 });
      expect(ended.reason).toContain("errors");
      expect([...statuses.keys()]).toEqual([200]);
    } finally {
      await models.remove();
    }
  });

  test("without callers decides nothing, and pauses for a person who can end it", {
    timeout: 60_000,
  }, async () => {
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start();
    const { id } = await bench.release({ max_inconclusive: 2, replay: { kind: "off" } });
    let last = await bench.find(id);
    for (let i = 0; i < 200 && last.phase !== "paused"; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      last = await bench.find(id);
    }
    expect(last).toMatchObject({ phase: "paused", step: 1 });
    const resumed = await bench.ask<SeenRelease>(`/v1/releases/${id}/resume`, {});
    expect(resumed.phase).toBe("progressing");
    const table = await fetch(`${bench.server.url}/v1/releases/${id}`, {
      headers: { accept: "text/plain" },
    });
    expect(await table.text()).toMatch(/phase +progressing\n/);
    const promoted = await bench.ask<SeenRelease>(`/v1/releases/${id}/promote`, {});
    expect(promoted).toMatchObject({ phase: "promoting", weight: 100 });
    const back = await bench.ask<SeenRelease>(`/v1/releases/${id}/rollback`, {});
    expect(["rolling_back", "failed"]).toContain(back.phase);
    const [ended] = await bench.callUntil(id);
    expect(ended.reason).toContain("asked for it");
    const again = await fetch(`${bench.server.url}/v1/releases/${id}/rollback`, { method: "POST" });
    expect(again.status).toBe(409);
  });
});

describe("a release is refused", () => {
  const refusal = async (plan: object) => {
    const answer = await bench.ask<{ error: { code: string; details?: { field: string }[] } }>(
      "/v1/releases",
      { ...QUICK_PLAN, ...plan },
    );
    return [answer.error.code, answer.error.details?.[0]?.field];
  };

  test("when it cannot work", async () => {
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.addVersion("1.0.0", "1.2.0", { labels: ["one"] });
    await bench.start();
    expect(await refusal({ candidate: "9.9.9" })).toEqual(["invalid_argument", "candidate"]);
    expect(await refusal({ candidate: "1.0.0" })).toEqual(["invalid_argument", "candidate"]);
    expect(await refusal({ candidate: "1.2.0" })).toEqual(["invalid_argument", "candidate"]);
    expect(await refusal({ model: "nobody" })).toEqual(["invalid_argument", "model"]);
    expect(await refusal({ interval_ms: 1 })).toEqual(["invalid_argument", "interval_ms"]);
    expect(await refusal({ surprise: 1 })).toEqual(["invalid_argument", "surprise"]);
    expect(await refusal({ gate_set: "reviews" })).toEqual([
      "invalid_argument",
      expect.stringContaining("metrics["),
    ]);
    const hook = { name: "gate", type: "rollout", url: "https://127.0.0.1/hook", timeout_ms: 100 };
    expect(await refusal({ hooks: [hook] })).toEqual(["invalid_argument", "hooks[0].url"]);
  });

  test("while the model has another", async () => {
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start();
    const answers = await Promise.all([bench.release(), bench.release(), bench.release()]);
    expect(answers.filter((answer) => "id" in answer)).toHaveLength(1);
    expect((await refusal({}))[0]).toBe("conflict");
  });

  test("to keys that may only look", async () => {
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start({ "releases.operators": '["somebody"]' });
    expect((await refusal({}))[0]).toBe("permission_denied");
    expect(await bench.ask("/v1/releases")).toEqual({ releases: [], next: null });
  });
});
