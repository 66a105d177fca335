import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { labels, podLabels, selects } from "../support/deployments.ts";
import { findProgram } from "../support/find-program.ts";
import type { Manifest } from "../support/helm-chart.ts";
import { HELM, NO_HELM, renderChart } from "../support/helm-chart.ts";
import { pick, pickList, pickRecord, pickText } from "../support/pick.ts";

const promtool = findProgram("promtool");
const noPromtool = promtool === undefined ? " [skipped: no promtool]" : "";

describe.skipIf(HELM === undefined)(`what the Helm chart measures${NO_HELM}`, () => {
  const render = (file: string) => (HELM === undefined ? [] : renderChart({ files: [file] }));
  const everything = render("everything.yaml");
  const canary = render("canary.yaml");
  const queries = [...listQueries(everything), ...listQueries(canary)];

  test("every Service is scraped, every 15 seconds, with the key of the Secret", () => {
    const [monitor] = ofKind(everything, "ServiceMonitor");
    const selector = pickRecord(monitor?.document, "spec.selector.matchLabels");
    const services = ofKind(everything, "Service");
    expect(services).toHaveLength(3);
    expect(services.filter((service) => selects(selector, labels(service)))).toEqual(services);
    expect(pickList(monitor, "document.spec.endpoints")).toMatchObject([
      {
        port: "http",
        path: "/metrics",
        interval: "15s",
        scrapeTimeout: "10s",
        honorLabels: false,
        authorization: { credentials: { name: "sluice", key: "metrics-key" } },
      },
    ]);
    expect(labels(monitor ?? missing())).toMatchObject({ release: "prometheus" });
  });

  test("under Flagger, whose Services select pods twice, pods are scraped and not Services", () => {
    expect(ofKind(canary, "ServiceMonitor")).toEqual([]);
    const [monitor] = ofKind(canary, "PodMonitor");
    const selector = pickRecord(monitor?.document, "spec.selector.matchLabels");
    const pods = ofKind(canary, "Deployment").map(podLabels);
    expect(pods.filter((pod) => selects(selector, pod))).toEqual(pods);
    expect(Object.keys(selector)).not.toContain("app.kubernetes.io/name");
  });

  test("no label is written onto itself, and the article's rule keeps what is about models", () => {
    const endpoints = [
      ...pickList(ofKind(everything, "ServiceMonitor")[0], "document.spec.endpoints"),
      ...pickList(ofKind(canary, "PodMonitor")[0], "document.spec.podMetricsEndpoints"),
    ];
    const rules = endpoints.flatMap((endpoint) => [
      ...pickList(endpoint, "relabelings"),
      ...pickList(endpoint, "metricRelabelings"),
    ]);
    expect(rules.length).toBe(3);
    for (const rule of rules) {
      expect(pick(rule, "sourceLabels")).not.toEqual([pickText(rule, "targetLabel")]);
    }
    expect(rules).toContainEqual({
      sourceLabels: ["__name__"],
      regex: "ai_model_.*",
      action: "keep",
    });
  });

  test("queries name only metrics that servers have", async () => {
    expect(queries).toHaveLength(3);
    const names = await listMetrics();
    for (const query of queries) {
      const used = query.match(/\b(?:ai_model|sluice)_[a-z0-9_]+/g) ?? [];
      expect(used.length, query).toBeGreaterThan(0);
      for (const name of used) expect(names).toContain(name.replace(/_(bucket|sum|count)$/, ""));
    }
  });

  test("a lost Prometheus lets no engine go", () => {
    const [scaled] = ofKind(everything, "ScaledObject");
    expect(pick(scaled, "document.spec.fallback")).toMatchObject({
      behavior: "currentReplicasIfHigher",
    });
    const metadata = pickRecord(scaled, "document.spec.triggers.0.metadata");
    expect(metadata["ignoreNullValues"]).toBe("false");
    expect(Object.values(metadata).filter((value) => typeof value !== "string")).toEqual([]);
  });

  test.skipIf(promtool === undefined)(`promtool reads every query${noPromtool}`, () => {
    const rules = queries.map((expr, i) => ({ record: `q:q${i}`, expr }));
    const check = (text: string) =>
      checkRules(stringify({ groups: [{ name: "q", rules }] }) + text);
    expect(check("")).toContain(`${queries.length} rules found`);
    expect(() => check("    - { record: q:wrong, expr: 'sum(' }\n")).toThrow();
  });

  test("a release has a clock, bounds for each check, and weights that rise to their end", () => {
    const [release] = ofKind(canary, "Canary");
    const analysis = pickRecord(release?.document, "spec.analysis");
    expect(analysis["interval"]).toMatch(/^\d+[ms]$/);
    expect(Number(analysis["stepWeight"])).toBeGreaterThan(0);
    expect(Number(analysis["maxWeight"])).toBeGreaterThanOrEqual(Number(analysis["stepWeight"]));
    const templates = ofKind(canary, "MetricTemplate").map(({ name }) => name);
    const used = pickList(analysis, "metrics").map((metric) => {
      expect(Object.keys(pickRecord(metric, "thresholdRange"))).toHaveLength(1);
      return pickText(metric, "templateRef.name");
    });
    expect(used.sort()).toEqual(templates.sort());
    const hooks = pickList(analysis, "webhooks").map((hook) => pick(hook, "type"));
    expect(hooks).toEqual(["rollout"]);
    const target = pickText(release?.document, "spec.targetRef.name");
    expect(ofKind(canary, "Deployment").map(({ name }) => name)).toContain(target);
    expect(ofKind(canary, "Service").map(({ name }) => name)).not.toContain(target);
  });

  test("Flagger's Services, which select by one label alone, reach one role of one release", () => {
    const names = ofKind(canary, "Deployment").map(
      (deployment) => podLabels(deployment)["app.kubernetes.io/name"],
    );
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain("sluice-gateway");
  });
});

function ofKind(manifests: readonly Manifest[], kind: string): readonly Manifest[] {
  return manifests.filter((manifest) => manifest.kind === kind);
}

function missing(): never {
  throw new Error("The object is missing.");
}

/** PromQL of KEDA's triggers and Flagger's templates. */
function listQueries(manifests: readonly Manifest[]): string[] {
  const triggers = ofKind(manifests, "ScaledObject").flatMap(({ document }) =>
    pickList(document, "spec.triggers"),
  );
  const templates = ofKind(manifests, "MetricTemplate").map(({ document }) =>
    pickText(document, "spec.query").replaceAll("{{ interval }}", "1m"),
  );
  return [...triggers.map((trigger) => pickText(trigger, "metadata.query")), ...templates];
}

async function listMetrics(): Promise<string[]> {
  const metrics = new Metrics({ versions: () => [] });
  const text = await metrics.render();
  return [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = ""]) => name);
}

function checkRules(rules: string): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-rules-"));
  try {
    const file = join(folder, "rules.yml");
    writeFileSync(file, rules);
    return execFileSync(promtool ?? "", ["check", "rules", file], { stdio: "pipe" }).toString();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
