import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import type { ReleasePlan } from "../../src/core/releases/release-plan.ts";
import { decodePlan } from "../../src/protocols/native/releases/decode-plan.ts";
import type { Manifest, ReleaseTarget } from "../../src/protocols/release-manifests/manifest.ts";
import { toFlagger } from "../../src/protocols/release-manifests/to-flagger.ts";
import { toIstio } from "../../src/protocols/release-manifests/to-istio.ts";
import { findSchemaProblems, HAS_SCHEMAS } from "../support/kubernetes-schemas.ts";
import type { PrometheusServer } from "../support/prometheus-server.ts";
import { findPrometheusProblem, startPrometheusServer } from "../support/prometheus-server.ts";
import { ReleaseServer } from "../support/release-server.ts";

const MAIN = fileURLToPath(new URL("../../bin/sluice.mjs", import.meta.url));
const TARGET: ReleaseTarget = {
  ...{ name: "sluice", namespace: "ml", port: 8000, prometheus: "http://prometheus:9090" },
};
const MOMENT = { stable: "1.0.0", weight: null };

const planOf = (changes: object): ReleasePlan =>
  decodePlan({ model: "m", candidate: "2.0.0", ...changes }, () => true);

const percent = fc.integer({ min: 1, max: 99_99 }).map((hundredths) => hundredths / 100);
const matches = fc.array(
  fc.record({
    source: fc.constantFrom("header", "cookie"),
    name: fc.constantFrom("x-user", "group"),
    test: fc.constantFrom("exact", "prefix", "suffix"),
    value: fc.string({ minLength: 1, maxLength: 20 }),
  }),
  { minLength: 1, maxLength: 3 },
);
const iterations = fc.integer({ min: 1, max: 20 });
const strategies = fc.oneof(
  fc.record({ kind: fc.constant("canary"), step_weight: fc.integer({ min: 1, max: 50 }) }),
  fc.record({
    kind: fc.constant("canary"),
    step_weights: fc
      .uniqueArray(percent, { minLength: 1, maxLength: 6 })
      .map((all) => all.toSorted((a, b) => a - b)),
  }),
  fc.record({ kind: fc.constant("blue_green"), iterations }),
  fc.record({ kind: fc.constant("ab"), iterations, matches }),
  fc.record({ kind: fc.constant("shadow"), iterations, share: percent }),
);
const metrics = fc.subarray(
  [
    { name: "success", kind: "success_rate", min_ratio: 0.995, max_drop: 0.01 },
    { name: "drop", kind: "success_rate", max_drop: 0.01 },
    { name: "p50", kind: "latency", quantile: 0.5, max_ms: 50 },
    { name: "p99.9", kind: "latency", quantile: 0.999, max_ms: 900, max_times_stable: 2 },
    { name: "labels", kind: "label_disagreement", max_ratio: 0.1 },
    { name: "feedback", kind: "feedback_accuracy", min_ratio: 0.9 },
    { name: "errors of all", kind: "query", query: "sum(rate(errors[1m]))", max: 3 },
    { name: "errors-of-all", kind: "query", query: "sum(rate(others[1m]))", min: 1, max: 3 },
    { name: "tried", kind: "latency", max_ms: 5, is_decisive: false },
  ],
  { minLength: 1 },
);
const hooks = fc.subarray([
  { name: "ask", type: "confirm-promotion", url: "https://gate.example/ask" },
  { name: "load", type: "rollout", url: "https://gate.example/load", timeout_ms: 1500, retries: 1 },
  { name: "told", type: "event", url: "https://gate.example/told" },
]);
const plans = fc
  .record({
    strategy: strategies,
    metrics,
    hooks,
    interval_ms: fc.integer({ min: 10_000, max: 3_600_000 }),
    mirror_share: percent,
    max_failures: fc.integer({ min: 3, max: 50 }),
    sticky_by: fc.constantFrom(
      { kind: "key" },
      { kind: "subject", header: "x-user" },
      { kind: "request" },
    ),
    promotion: fc.constantFrom("automatic", "manual"),
  })
  .map((changes) => {
    // What cannot be made is no plan; see the tests of `findPlanProblems`.
    try {
      return planOf(changes);
    } catch {
      return undefined;
    }
  })
  .filter((plan) => plan !== undefined);

/** Of the first object. */
const specOf = ([first]: readonly Manifest[]): object => first?.spec ?? {};

const asDocument = (object: Manifest) => ({
  ...{ apiVersion: object.apiVersion, kind: object.kind, name: object.metadata.name },
  document: structuredClone(object) as never,
});

describe.skipIf(!HAS_SCHEMAS)(
  `exported plans and the strict schemas of kinds${HAS_SCHEMAS ? "" : " (no schemas beside this repository)"}`,
  () => {
    test("fit, whatever the plan, and refer to templates that are there", () => {
      fc.assert(
        fc.property(plans, (plan) => {
          const { objects } = toFlagger(plan, TARGET);
          expect(objects.flatMap((object) => findSchemaProblems(asDocument(object)))).toEqual([]);
          const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
          expect(new Set(names).size).toBe(names.length);
          const { analysis } = specOf(objects) as {
            analysis: { metrics: { templateRef: { name: string } }[]; stepWeights?: number[] };
          };
          for (const { templateRef } of analysis.metrics) {
            expect(names).toContain(`MetricTemplate ${templateRef.name}`);
          }
          // A step that is none would hang there for ever.
          const steps = analysis.stepWeights ?? [1];
          expect(steps.every((weight, at) => weight > (steps[at - 1] ?? 0))).toBe(true);
        }),
        { numRuns: 300 },
      );
      fc.assert(
        fc.property(plans, fc.option(percent), (plan, weight) => {
          const { objects } = toIstio(plan, TARGET, { stable: "1.0.0", weight });
          expect(objects.flatMap((object) => findSchemaProblems(asDocument(object)))).toEqual([]);
          const { http } = specOf(objects) as { http: { route: { weight?: number }[] }[] };
          const weights = http.at(-1)?.route.map((one) => one.weight ?? 0) ?? [];
          expect(weights.reduce((sum, one) => sum + one, 0)).toBe(100);
        }),
        { numRuns: 300 },
      );
    });
  },
);

describe("what is lost is said", () => {
  const lossesOf = (changes: object) => toFlagger(planOf(changes), TARGET).losses.join("\n");

  test.each([
    [
      { metrics: [{ name: "a", kind: "gate_accuracy", gate_set: "g", min_ratio: 0.9 }] },
      "Metric a is left out",
    ],
    [
      {
        metrics: [
          { name: "a", kind: "latency", max_ms: 5, is_decisive: false },
          { name: "b", kind: "success_rate", min_ratio: 1 },
        ],
      },
      "every metric decides",
    ],
    [
      { strategy: { kind: "canary", step_weights: [0.5, 33.3, 60] } },
      "0.5, 33.3, 60 became 1, 33, 60",
    ],
    [{ promotion: "manual" }, "promotes by itself"],
    [{ strategy: { kind: "shadow" } }, "promotes by itself"],
    [{ interval_ms: 1500 }, "The interval of 1500 ms became 10s."],
    [{ sticky_by: { kind: "subject", header: "x-user" } }, "not by their header x-user"],
  ])("%j: %s", (changes, loss) => {
    expect(lossesOf(changes)).toContain(loss);
  });

  test("a plan of which nothing would be left is refused", () => {
    const matches = [{ source: "key", value: "vip" }];
    const plan = planOf({ strategy: { kind: "ab", matches } });
    expect(() => toFlagger(plan, TARGET)).toThrow(/cannot see/);
    expect(() => toIstio(plan, TARGET, MOMENT)).toThrow(/cannot see/);
  });

  test("cookies are found among others, and their values are no expressions", () => {
    const matches = [{ source: "cookie", name: "group", test: "prefix", value: "a.b+" }];
    const { objects } = toIstio(planOf({ strategy: { kind: "ab", matches } }), TARGET, MOMENT);
    const { http } = specOf(objects) as {
      http: { match?: { headers: { cookie: { regex: string } } }[] }[];
    };
    const regex = new RegExp(http[0]?.match?.[0]?.headers.cookie.regex ?? "");
    expect(regex.test("group=a.b+7")).toBe(true);
    expect(regex.test("x=1; group=a.b+; y=2")).toBe(true);
    expect(regex.test("xgroup=a.b+")).toBe(false);
    expect(regex.test("group=axb+")).toBe(false);
    expect(regex.test("group=a.bb")).toBe(false);
  });
});

const problem = findPrometheusProblem();
describe.skipIf(problem !== undefined)(
  `queries of templates${problem === undefined ? "" : ` (${problem})`}`,
  () => {
    let bench: ReleaseServer;
    let prometheus: PrometheusServer;
    beforeAll(async () => {
      bench = await ReleaseServer.create();
      await bench.start();
      prometheus = await startPrometheusServer(bench.server.url);
    }, 60_000);
    afterAll(async () => {
      await prometheus.close();
      await bench.close();
    });

    test("give one number each, of a real server that a real Prometheus scrapes", async () => {
      const model = "text-classification";
      const plan = planOf({
        ...{ model, candidate: "1.0.0" },
        metrics: [
          { name: "success", kind: "success_rate", min_ratio: 0.99 },
          { name: "p99", kind: "latency", max_ms: 500 },
          { name: "feedback", kind: "feedback_accuracy", min_ratio: 0.9 },
        ],
      });
      const { objects } = toFlagger(plan, TARGET);
      const queries = objects.slice(1).map(({ spec }) => (spec as { query: string }).query);
      expect(queries).toHaveLength(3);
      const read = async (query: string) => {
        const filled = query
          .replaceAll("{{ variables.model_version }}", `${model}:1.0.0`)
          .replaceAll("{{ interval }}", "10s");
        const url = `${prometheus.url}/api/v1/query?query=${encodeURIComponent(filled)}`;
        const { data } = (await (await fetch(url)).json()) as {
          data: { result: { value: [number, string] }[] };
        };
        return data.result.map(({ value }) => Number(value[1]));
      };
      let isOver = false;
      const asking = (async () => {
        for (let at = 0; !isOver; at++) {
          const answer = await bench.server.classify({ text: `A good film ${at}.` });
          const { request_id } = (await answer.json()) as { request_id: string };
          const label = at % 4 === 0 ? "negative" : "positive";
          await bench.ask("/v1/feedback", { request_id, label });
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      })();
      try {
        for (const query of queries) {
          const isNumber = async () => (await read(query)).filter((one) => one > 0).length;
          await expect.poll(isNumber, { timeout: 20_000, interval: 300 }).toBe(1);
        }
        const [success = 0, latencyMs = 0, feedback = 0] = (
          await Promise.all(queries.map(read))
        ).flat();
        expect(success).toBeCloseTo(100, 6);
        expect(latencyMs).toBeLessThan(500);
        expect(feedback).toBeGreaterThan(50);
        expect(feedback).toBeLessThan(95);
      } finally {
        isOver = true;
        await asking;
      }
    }, 60_000);
  },
);

describe("sluice release export", () => {
  let bench: ReleaseServer;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-export-"));
    bench = await ReleaseServer.create();
    await bench.addVersion("1.0.0", "1.1.0");
    await bench.start();
  }, 60_000);
  afterAll(async () => {
    await bench.close();
    await rm(folder, { recursive: true, force: true });
  });

  const run = (...words: string[]) =>
    new Promise<{ out: string; err: string; code: number }>((resolve) => {
      const all = [MAIN, "release", "export", ...words];
      execFile(process.execPath, all, (error, out, err) =>
        resolve({ out, err, code: Number(error?.code ?? 0) }),
      );
    });
  const kindsOf = (text: string) =>
    parseAllDocuments(text).map((document) => (document.toJS() as Manifest).kind);

  test("writes the plan of a release of the server, with what is lost beside it", async () => {
    const { id } = await bench.release({ interval_ms: 60_000 });
    const url = ["--url", bench.server.url];
    const flagger = await run(id, "--flagger", "--target", "shop", ...url);
    expect(flagger.code, flagger.err).toBe(0);
    expect(kindsOf(flagger.out)).toEqual(["Canary", "MetricTemplate", "MetricTemplate"]);
    expect(flagger.out).toContain("text-classification:1.1.0");
    expect(flagger.err).toMatch(/^# .*disagreement is left out/m);
    const istio = await run("--istio", ...url);
    expect(kindsOf(istio.out)).toEqual(["VirtualService", "DestinationRule"]);
    expect(istio.out).toContain("version: 1.1.0");
    await bench.ask(`/v1/releases/${id}/rollback`, {}, "POST");
  });

  test("writes a plan of a file, as JSON or YAML, without a server", async () => {
    const path = join(folder, "plan.yaml");
    await writeFile(path, "model: reviews\ncandidate: 2.0.0\nstrategy: { kind: blue_green }\n");
    const { out, code } = await run("--flagger", "--plan", path, "--namespace", "ml");
    expect(code).toBe(0);
    expect(out).toContain("iterations: 5");
    expect((await run("--istio", "--plan", path)).err).toContain("--stable");
    expect((await run("--istio", "--plan", path, "--stable", "1.0.0")).code).toBe(0);
  });

  test.each([
    [["--plan", "/nowhere.json", "--flagger"], "cannot be read"],
    [["--flagger", "--plan", "package.json"], "model"],
    [[], "--flagger or --istio"],
    [["--flagger", "--istio"], "cannot be used with"],
  ])("refuses %j", async (words, reason) => {
    const { err, code } = await run(...words);
    expect(code).not.toBe(0);
    expect(err).toContain(reason);
  });

  test("refuses names that are none in a cluster", async () => {
    const path = join(folder, "plan.json");
    await writeFile(path, JSON.stringify({ model: "My_Model", candidate: "2.0.0" }));
    expect((await run("--flagger", "--plan", path)).err).toContain('--target "My_Model"');
    expect((await run("--flagger", "--plan", path, "--target", "shop")).code).toBe(0);
  });
});
