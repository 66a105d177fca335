import { describe, expect, test } from "vitest";
import { container, findByRole, podLabels, portNames, selects } from "../support/deployments.ts";
import { HELM, NO_HELM, RENDERINGS, renderChart, SECRET } from "../support/helm-chart.ts";
import { findSchemaProblems, HAS_SCHEMAS } from "../support/kubernetes-schemas.ts";
import { pick, pickList, pickRecord, pickText } from "../support/pick.ts";
import { readConfigs } from "../support/pod-configs.ts";

const noSchemas = HAS_SCHEMAS ? "" : " [skipped: no schemas of Kubernetes]";

describe.skipIf(HELM === undefined)(`the Helm chart${NO_HELM}`, () => {
  describe.each(RENDERINGS)("with %s", (_title, values) => {
    const manifests = HELM === undefined ? [] : renderChart(values);
    const ofKind = (kind: string) => manifests.filter((manifest) => manifest.kind === kind);
    const deployments = ofKind("Deployment");

    test.skipIf(!HAS_SCHEMAS)(`has only objects that Kubernetes accepts${noSchemas}`, () => {
      expect(manifests.length).toBeGreaterThan(2);
      expect(manifests.flatMap(findSchemaProblems)).toEqual([]);
    });

    test("selects the pods that it makes, each by one Deployment", () => {
      expect(deployments.length).toBeGreaterThan(0);
      for (const { document } of deployments) {
        const selector = pickRecord(document, "spec.selector.matchLabels");
        const chosen = deployments.filter((other) => selects(selector, podLabels(other)));
        expect(chosen.map((other) => other.document)).toEqual([document]);
      }
    });

    test("runs every container as the restricted profile asks, and without writing to its image", () => {
      for (const deployment of deployments) {
        const pod = pick(deployment.document, "spec.template.spec");
        expect(pod).toMatchObject({
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
        });
        expect(Number(pick(pod, "securityContext.runAsUser"))).toBeGreaterThan(0);
        const folders = pickList(container(deployment), "volumeMounts");
        expect(folders.map((folder) => pickText(folder, "mountPath"))).toContain("/tmp");
        expect(container(deployment)).toMatchObject({
          securityContext: {
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"] },
          },
        });
      }
    });

    test("asks for processor and memory, and holds memory and GPUs to what was asked", () => {
      for (const deployment of deployments) {
        const { requests, limits } = pickRecord(container(deployment), "resources");
        expect(pickText(requests, "cpu")).not.toBe("");
        expect(pickText(requests, "memory")).toBe(pickText(limits, "memory"));
        for (const [name, value] of Object.entries(pickRecord({ requests }, "requests"))) {
          if (name.includes("/")) expect(pickRecord({ limits }, "limits")[name]).toBe(value);
        }
      }
    });

    test("asks every server whether it started, can serve and lives, at addresses that exist", () => {
      for (const deployment of deployments) {
        const found = container(deployment);
        const hasModels = /engine|standalone/.test(deployment.name);
        expect(pick(found, "startupProbe.httpGet")).toEqual({
          path: hasModels ? "/health/ready" : "/health/live",
          port: "http",
        });
        expect(pick(found, "readinessProbe.httpGet.path")).toBe("/health/ready");
        expect(pick(found, "livenessProbe.httpGet.path")).toBe("/health/live");
        for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"]) {
          expect(portNames(deployment)).toContain(pickText(found, `${probe}.httpGet.port`));
        }
        const loadSeconds =
          Number(pick(found, "startupProbe.periodSeconds")) *
          Number(pick(found, "startupProbe.failureThreshold"));
        const deadline = Number(pick(deployment.document, "spec.progressDeadlineSeconds"));
        expect(deadline).toBeGreaterThan(loadSeconds);
      }
    });

    test("lets every server finish before it is killed", () => {
      const config = readConfigs(manifests)[0];
      const yaml = config?.yaml ?? "";
      const read = (name: string) => Number(new RegExp(`^ +${name}: (\\d+)$`, "m").exec(yaml)?.[1]);
      const drainSeconds = (read("drainDelayMs") + read("graceMs")) / 1000;
      expect(drainSeconds).toBeGreaterThan(0);
      for (const deployment of deployments) {
        const pod = pick(deployment.document, "spec.template.spec");
        const sleep = Number(pick(container(deployment), "lifecycle.preStop.sleep.seconds"));
        const seconds = Number(pick(pod, "terminationGracePeriodSeconds"));
        expect(sleep).toBeGreaterThan(0);
        expect(seconds).toBeGreaterThan(sleep + drainSeconds);
      }
    });

    test("gives every server settings that it starts with, on the ports that its pod names", () => {
      const configs = readConfigs(manifests);
      expect(configs).toHaveLength(deployments.length);
      for (const { role, port, loaded } of configs) {
        expect(loaded.mistakes, role).toEqual([]);
        if (loaded.config === undefined) continue;
        expect(loaded.config.role).toBe(role);
        expect(loaded.config.server.port).toBe(port);
      }
    });
  });

  test("gives no server an address of a store that is not its own to use", () => {
    const manifests = renderChart({ files: ["everything.yaml"] });
    const names = (role: string) =>
      pickList(container(findByRole(manifests, role)), "env").map((entry) =>
        pickText(entry, "name"),
      );
    expect(names("engine").filter((name) => name.endsWith("_URL"))).toEqual([]);
    expect(names("worker")).not.toContain("SLUICE_CACHE_STORE_URL");
    expect(names("worker")).toContain("SLUICE_QUEUE_STORE_URL");
    expect(names("gateway")).toContain("SLUICE_RATE_LIMIT_STORE_URL");
  });

  test("answers port 80 by 8000, or by 8501 where clients of TensorFlow Serving are", () => {
    for (const [target, port] of [
      ["http", 8000],
      ["tensorflow", 8501],
    ] as const) {
      const manifests = renderChart({ set: [...SECRET, `gateway.service.targetPort=${target}`] });
      const service = manifests.find(
        ({ kind, name }) => kind === "Service" && name.endsWith("gateway"),
      );
      const [first] = pickList(service, "document.spec.ports");
      expect(first).toMatchObject({ port: 80, targetPort: target });
      const ports = pickList(container(findByRole(manifests, "gateway")), "ports");
      expect(ports).toContainEqual({ name: target, containerPort: port });
    }
  });

  const refusals: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["no Secret", [], /secrets\.existingSecret must name a Secret with the keys auth-keys/],
    ["a misspelt value", [...SECRET, "gateway.replcas=3"], /replcas/],
    ["a number that is a word", [...SECRET, "engine.replicas=many"], /replicas/],
    ["two autoscalers of one role", [...SECRET, "engine.keda.enabled=true"], /autoscaling or keda/],
    [
      "no role",
      [...SECRET, "gateway.enabled=false", "engine.enabled=false", "worker.enabled=false"],
      /No role/,
    ],
    ["a standalone server beside roles", [...SECRET, "standalone.enabled=true"], /takes the place/],
    ["workers without engines", [...SECRET, "engine.enabled=false"], /Workers ask engines/],
    [
      "a canary that has no way up",
      [...SECRET, "canary.enabled=true", "canary.maxWeight=5"],
      /maxWeight/,
    ],
  ];
  test.each(refusals)("refuses %s, and says what to do", (_title, set, message) => {
    expect(() => renderChart({ set })).toThrow(message);
  });
});
