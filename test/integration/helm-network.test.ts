import { describe, expect, test } from "vitest";
import { podLabels, portNames, selects } from "../support/deployments.ts";
import type { ChartValues, Manifest } from "../support/helm-chart.ts";
import { HELM, NO_HELM, RENDERINGS, renderChart, SECRET } from "../support/helm-chart.ts";
import { pick, pickList, pickRecord, pickText } from "../support/pick.ts";
import { readConfigs } from "../support/pod-configs.ts";

describe.skipIf(HELM === undefined)(`what surrounds the pods of the Helm chart${NO_HELM}`, () => {
  describe.each(RENDERINGS)("with %s", (_title, values) => {
    const manifests = HELM === undefined ? [] : renderChart(values);
    const ofKind = (kind: string) => manifests.filter((manifest) => manifest.kind === kind);
    const deployments = ofKind("Deployment");
    const select = (selector: Readonly<Record<string, unknown>>) =>
      deployments.filter((deployment) => selects(selector, podLabels(deployment)));

    test("routes to ports that pods have, at Services that servers ask", () => {
      const services = ofKind("Service");
      expect(services.length).toBeGreaterThan(0);
      for (const { document } of services) {
        const pods = select(pickRecord(document, "spec.selector"));
        expect(pods).toHaveLength(1);
        for (const port of pickList(document, "spec.ports")) {
          expect(pickText(port, "name")).not.toBe("");
          expect(portNames(pods[0])).toContain(pickText(port, "targetPort"));
        }
      }
      for (const { yaml } of readConfigs(manifests)) {
        for (const [, host, port] of yaml.matchAll(/- http:\/\/([^:]+):(\d+)/g)) {
          const service = services.find(({ name }) => name === host);
          const ports = pickList(service, "document.spec.ports").map((one) =>
            pickText(one, "port"),
          );
          expect(ports, host).toContain(port);
        }
      }
    });

    test("lets the pods of a role go one by one when nodes are emptied", () => {
      const budgets = ofKind("PodDisruptionBudget");
      expect(budgets).toHaveLength(
        isSet(values, "defaults.pdb.enabled=false") ? 0 : deployments.length,
      );
      for (const { document } of budgets) {
        const selector = pickRecord(document, "spec.selector.matchLabels");
        expect(select(selector)).toHaveLength(1);
        expect(pickRecord(document, "spec")).toMatchObject({
          maxUnavailable: 1,
          unhealthyPodEvictionPolicy: "AlwaysAllow",
        });
        // What a release controller renames must not take the pods out of the budget.
        expect(Object.keys(selector)).not.toContain("app.kubernetes.io/name");
      }
    });

    test("leaves the number of replicas to one who decides it", () => {
      const scalers = [...ofKind("HorizontalPodAutoscaler"), ...ofKind("ScaledObject")];
      const targets = scalers.map(({ document }) => pickText(document, "spec.scaleTargetRef.name"));
      expect(new Set(targets).size).toBe(targets.length);
      for (const target of targets) expect(deployments.map(({ name }) => name)).toContain(target);
      for (const { name, document } of deployments) {
        expect(pick(document, "spec.replicas") === undefined, name).toBe(targets.includes(name));
      }
    });

    test("closes the network but for what each role needs", () => {
      const policies = ofKind("NetworkPolicy");
      const isOff = isSet(values, "networkPolicy.enabled=false");
      expect(policies.length).toBe(isOff ? 0 : deployments.length + 1);
      for (const deployment of deployments) {
        const own = policies.filter(({ document }) =>
          selects(pickRecord(document, "spec.podSelector.matchLabels"), podLabels(deployment)),
        );
        expect(own.length).toBe(isOff ? 0 : 2);
        for (const { document } of own) {
          expect(pick(document, "spec.policyTypes")).toEqual(["Ingress", "Egress"]);
          const opened = listRules(document, "ingress").flatMap((rule) => pickList(rule, "ports"));
          const names = opened.map((port) => pickText(port, "port"));
          expect(portNames(deployment)).toEqual(expect.arrayContaining(names));
          for (const rule of listRules(document, "egress")) {
            expect(pickList(rule, "ports").length).toBeGreaterThan(0);
          }
        }
      }
    });
  });

  test("engines are reached by gateways, workers and Prometheus, and reach nothing but names", () => {
    const policy = find(renderChart({ set: SECRET }), "NetworkPolicy", "sluice-engine");
    const ingress = listRules(policy.document, "ingress");
    const peers = ingress.flatMap((rule) => pickList(rule, "from"));
    expect(ingress.map((rule) => pickList(rule, "from").length)).toEqual([1, 1]);
    const expressions = peers.flatMap((peer) => pickList(peer, "podSelector.matchExpressions"));
    expect(expressions).toEqual([
      { key: "app.kubernetes.io/component", operator: "In", values: ["gateway", "worker"] },
    ]);
    const ports = listRules(policy.document, "egress").flatMap((rule) => pickList(rule, "ports"));
    expect(ports.map((port) => pick(port, "port"))).toEqual([53, 53]);
  });

  test("two to ten copies by processor, without memory, and slowly down", () => {
    const scaler = find(renderChart({ set: SECRET }), "HorizontalPodAutoscaler", "sluice-gateway");
    expect(pick(scaler, "document.spec")).toMatchObject({ minReplicas: 2, maxReplicas: 10 });
    expect(pick(scaler, "document.spec.metrics")).toEqual([
      {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } },
      },
    ]);
    expect(pick(scaler, "document.spec.behavior.scaleDown")).toEqual({
      stabilizationWindowSeconds: 300,
      policies: [{ type: "Pods", value: 1, periodSeconds: 60 }],
    });
  });
});

function isSet({ set = [] }: ChartValues, word: string): boolean {
  return set.includes(word);
}

function listRules(document: unknown, direction: "ingress" | "egress"): readonly unknown[] {
  return pickList(document, `spec.${direction}`);
}

function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.name === name);
  if (found === undefined) throw new Error(`There is no ${kind} ${name}.`);
  return found;
}
