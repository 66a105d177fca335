import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createModelFolder } from "../support/model-folder.ts";
import { writeFragileClassifier } from "../support/onnx-fixtures.ts";
import { NEGATIVE_OPINIONS, POSITIVE_OPINIONS } from "../support/opinions.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const SHIPPED = new URL("../../models/text-classification/", import.meta.url).pathname;
const OPINIONS = [...POSITIVE_OPINIONS, ...NEGATIVE_OPINIONS];

let folder: string;
let server: TestServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-releases-"));
  await addVersion("1.0.0", "1.0.0");
});
afterEach(async () => {
  await server.drain();
  await rm(folder, { recursive: true, force: true });
});

/** A shipped package as another version, with changes to its manifest. */
async function addVersion(from: string, version: string, changes: object = {}): Promise<void> {
  const path = join(folder, "models/text-classification", version);
  await cp(join(SHIPPED, from), path, { recursive: true });
  const manifest = JSON.parse(await readFile(join(path, "manifest.json"), "utf8"));
  await writeFile(
    join(path, "manifest.json"),
    JSON.stringify({ ...manifest, version, ...changes }),
  );
}

async function start(flags: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  server = await startTestServer({
    "models.directory": join(folder, "models"),
    "models.defaultVersions": '{"text-classification":"1.0.0"}',
    "records.store.path": join(folder, "records.db"),
    "releases.pollMs": "50",
    "rateLimit.requests": "0",
    ...flags,
  });
  return server;
}

interface Release {
  readonly id: string;
  readonly phase: string;
  readonly step: number;
  readonly weight: number;
  readonly reason: string | null;
  readonly checks: readonly { readonly name: string; readonly outcome: string }[];
}

async function ask<Answer>(path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    ...(body !== undefined && {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
  return (await response.json()) as Answer;
}

/** A plan that is over in seconds. */
const PLAN = {
  model: "text-classification",
  candidate: "1.1.0",
  strategy: { kind: "canary", step_weights: [30, 60] },
  interval_ms: 1000,
  min_samples: 20,
  max_consecutive_failures: 1,
  sticky_by: { kind: "request" },
  mirror_share: 50,
};

const release = (plan: object = {}) => ask<Release>("/v1/releases", { ...PLAN, ...plan });
const find = (id: string) => ask<Release>(`/v1/releases/${id}`);

interface Seen {
  readonly statuses: Map<number, number>;
  /** Versions that answered, in the order of their answers. */
  readonly versions: string[];
}

/** Asks again and again until the release has ended, or is in one of `phases`. */
async function callUntil(id: string, phases = ["succeeded", "failed"]): Promise<[Release, Seen]> {
  const seen: Seen = { statuses: new Map(), versions: [] };
  const endsAt = Date.now() + 40_000;
  let isOver = false;
  const call = async (worker: number) => {
    for (let at = worker; !isOver; at += 4) {
      const text = `${OPINIONS[at % OPINIONS.length]} ${at}`;
      const response = await server.classify({ text });
      const { status } = response;
      const { model_version: version } = (await response.json()) as { model_version: string };
      seen.statuses.set(status, (seen.statuses.get(status) ?? 0) + 1);
      seen.versions.push(version);
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
  };
  const calls = [0, 1, 2, 3].map(call);
  let last = await find(id);
  while (!phases.includes(last.phase) && Date.now() < endsAt) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    last = await find(id);
  }
  isOver = true;
  await Promise.all(calls);
  return [last, seen];
}

describe("a release", () => {
  test("of a good version goes live step by step, and is what answers from then on", {
    timeout: 60_000,
  }, async () => {
    await addVersion("1.0.0", "1.1.0");
    await start();
    const { id, phase } = await release();
    expect(["initializing", "progressing"]).toContain(phase);
    const [ended, { statuses, versions }] = await callUntil(id);
    expect(ended).toMatchObject({ phase: "succeeded", weight: 100 });
    expect([...statuses.keys()]).toEqual([200]);
    expect(new Set(versions)).toEqual(new Set(["1.0.0", "1.1.0"]));
    const { events } = await ask<{ events: { action: string; weight: number }[] }>(
      `/v1/releases/${id}/history?limit=100`,
    );
    const steps = events.filter(({ action }) => action === "advance").map(({ weight }) => weight);
    expect(steps.toReversed()).toEqual([30, 60]);
    for (const text of OPINIONS.slice(0, 5)) {
      const answer = await (await server.classify({ text }))?.json();
      expect(answer).toMatchObject({ model_version: "1.1.0" });
    }
    const restarted = server;
    await restarted?.drain();
    await start();
    const answer = await (await server.classify({ text: "good" }))?.json();
    expect(answer).toMatchObject({ model_version: "1.1.0" });
  });

  test("of a version with two labels swapped goes back at the first step, though it is fast and never fails", {
    timeout: 60_000,
  }, async () => {
    await addVersion("1.0.0", "1.1.0", { labels: ["positive", "negative"] });
    await start();
    const { id } = await release();
    const [ended, { statuses }] = await callUntil(id);
    expect(ended).toMatchObject({ phase: "failed", step: 1, weight: 0 });
    expect(ended.reason).toContain("disagreement");
    const outcomes = Object.fromEntries(ended.checks.map(({ name, outcome }) => [name, outcome]));
    expect(outcomes["success-rate"]).not.toBe("fail");
    expect(outcomes["latency-p99"]).not.toBe("fail");
    expect([...statuses.keys()]).toEqual([200]);
    const answer = await (await server.classify({ text: "good" }))?.json();
    expect(answer).toMatchObject({ model_version: "1.0.0" });
  });

  test("of a slow version goes back on latency", { timeout: 60_000 }, async () => {
    await addVersion("2.0.0", "2.0.0");
    await start();
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
    const { id } = await release({ candidate: "2.0.0", metrics });
    const [ended] = await callUntil(id);
    expect(ended).toMatchObject({ phase: "failed", step: 1 });
    expect(ended.reason).toContain("latency");
  });

  test("goes to those who match, of an A/B release, and to nobody else", {
    timeout: 60_000,
  }, async () => {
    await addVersion("1.0.0", "1.1.0");
    await start();
    const matches = [{ source: "header", name: "X-Team", value: "blue" }];
    const { id } = await release({ strategy: { kind: "ab", matches, iterations: 100 } });
    await callUntil(id, ["progressing"]);
    const versionOf = async (headers: Record<string, string>) => {
      const response = await server.classify({ text: `${Math.random()}` }, headers);
      return ((await response.json()) as { model_version: string }).model_version;
    };
    await expect.poll(() => versionOf({ "x-team": "blue" })).toBe("1.1.0");
    expect(await versionOf({ "x-team": "red" })).toBe("1.0.0");
    expect(await versionOf({})).toBe("1.0.0");
  });

  test("in the shadow compares and answers nobody, and is counted in no public metric", {
    timeout: 60_000,
  }, async () => {
    await addVersion("1.0.0", "1.1.0", { labels: ["positive", "negative"] });
    await start();
    const { id } = await release({
      strategy: { kind: "shadow", share: 100, iterations: 3 },
      mirror_share: 0,
    });
    const [ended, { versions, statuses }] = await callUntil(id);
    expect(ended).toMatchObject({ phase: "failed", step: 1 });
    expect(ended.reason).toContain("disagreement");
    expect(new Set(versions)).toEqual(new Set(["1.0.0"]));
    expect([...statuses.keys()]).toEqual([200]);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const countsOf = (version: string) =>
      metrics
        .split("\n")
        .filter((line) => /^ai_model_(predictions|answers)_total/.test(line))
        .filter((line) => line.includes(`:${version}"`) && !line.endsWith(" 0"));
    expect(countsOf("1.0.0")).not.toEqual([]);
    expect(countsOf("1.1.0")).toEqual([]);
  });

  test("of a version that breaks goes back, and costs nobody an answer", {
    timeout: 60_000,
  }, async () => {
    const models = await createModelFolder();
    try {
      await models.write();
      // A remainder that none of the texts has with which models are warmed.
      await models.write({ version: "1.1.0", bytes: writeFragileClassifier(2) });
      await start({ "models.directory": models.path });
      const metrics = [{ name: "errors", kind: "success_rate", min_ratio: 0.99 }];
      const { id } = await release({ metrics });
      const [ended, { statuses }] = await callUntil(id);
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
    await addVersion("1.0.0", "1.1.0");
    await start();
    const { id } = await release({ max_inconclusive: 2, replay: { kind: "off" } });
    let last = await find(id);
    for (let i = 0; i < 200 && last.phase !== "paused"; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      last = await find(id);
    }
    expect(last).toMatchObject({ phase: "paused", step: 1 });
    const resumed = await ask<Release>(`/v1/releases/${id}/resume`, {});
    expect(resumed.phase).toBe("progressing");
    const table = await fetch(`${server.url}/v1/releases/${id}`, {
      headers: { accept: "text/plain" },
    });
    expect(await table.text()).toMatch(/phase +progressing\n/);
    const promoted = await ask<Release>(`/v1/releases/${id}/promote`, {});
    expect(promoted).toMatchObject({ phase: "promoting", weight: 100 });
    const back = await ask<Release>(`/v1/releases/${id}/rollback`, {});
    expect(["rolling_back", "failed"]).toContain(back.phase);
    const [ended] = await callUntil(id);
    expect(ended.reason).toContain("asked for it");
    const again = await fetch(`${server.url}/v1/releases/${id}/rollback`, { method: "POST" });
    expect(again.status).toBe(409);
  });
});

describe("a release is refused", () => {
  const refusal = async (plan: object) => {
    const answer = await ask<{ error: { code: string; details?: { field: string }[] } }>(
      "/v1/releases",
      { ...PLAN, ...plan },
    );
    return [answer.error.code, answer.error.details?.[0]?.field];
  };

  test("when it cannot work", async () => {
    await addVersion("1.0.0", "1.1.0");
    await addVersion("1.0.0", "1.2.0", { labels: ["one"] });
    await start();
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
    await addVersion("1.0.0", "1.1.0");
    await start();
    const answers = await Promise.all([release(), release(), release()]);
    expect(answers.filter((answer) => "id" in answer)).toHaveLength(1);
    expect((await refusal({}))[0]).toBe("conflict");
  });

  test("to keys that may only look", async () => {
    await addVersion("1.0.0", "1.1.0");
    await start({ "releases.operators": '["somebody"]' });
    expect((await refusal({}))[0]).toBe("permission_denied");
    expect(await ask("/v1/releases")).toEqual({ releases: [], next: null });
  });
});
