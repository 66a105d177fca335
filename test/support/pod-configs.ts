import type { DeployedConfig } from "./deployed-config.ts";
import { readDeployedConfig, readImageEnvironment } from "./deployed-config.ts";
import { container } from "./deployments.ts";
import type { Manifest } from "./helm-chart.ts";
import { pick, pickList, pickRecord, pickText } from "./pick.ts";

/** What the server of a Deployment reads at its start. */
export interface PodConfig {
  readonly role: string;
  readonly port: number;
  readonly yaml: string;
  readonly loaded: DeployedConfig;
}

/** What each Deployment's server reads at its start, with samples for what comes from the Secret. */
export function readConfigs(manifests: readonly Manifest[]): PodConfig[] {
  const files = manifests.find(({ kind }) => kind === "ConfigMap");
  const yaml = String(pickRecord(files?.document, "data")["sluice.yaml"]);
  return manifests
    .filter(({ kind }) => kind === "Deployment")
    .map((deployment) => {
      const entries = pickList(container(deployment), "env").map((entry) => {
        const name = pickText(entry, "name");
        const isSecret = pick(entry, "valueFrom.secretKeyRef.name") === "sluice";
        return [name, isSecret ? toSample(name) : pickText(entry, "value")] as const;
      });
      const own: Record<string, string> = Object.fromEntries(entries);
      const [first] = pickList(container(deployment), "ports");
      return {
        role: own["SLUICE_ROLE"] ?? "",
        port: Number(pick(first, "containerPort")),
        yaml,
        loaded: readDeployedConfig({ env: { ...readImageEnvironment(), ...own }, yaml }),
      };
    });
}

function toSample(name: string): string {
  if (name === "SLUICE_AUTH_KEYS") return JSON.stringify([{ id: "shop", sha256: "0".repeat(64) }]);
  if (name === "SLUICE_ENGINE_KEY") return "sample";
  if (/CACHE|RATE_LIMIT/.test(name)) return "redis://:sample@redis:6379/0";
  if (/RECORDS|VECTORS/.test(name)) return "postgres://sluice:sample@postgres:5432/sluice";
  return "nats://sluice:sample@nats:4222";
}
