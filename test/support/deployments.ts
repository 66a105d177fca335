import type { Manifest } from "./helm-chart.ts";
import { pick, pickList, pickRecord, pickText } from "./pick.ts";

/** The Deployment of a role. */
export function findByRole(manifests: readonly Manifest[], role: string): Manifest | undefined {
  return manifests.find(({ kind, name }) => kind === "Deployment" && name.endsWith(role));
}

/** The only container of a Deployment. */
export function container(deployment: Manifest | undefined): unknown {
  return pick(deployment, "document.spec.template.spec.containers.0");
}

/** Names of its ports. */
export function portNames(deployment: Manifest | undefined): string[] {
  return pickList(container(deployment), "ports").map((port) => pickText(port, "name"));
}

/** Labels of its pods. */
export function podLabels(deployment: Manifest): Readonly<Record<string, unknown>> {
  return pickRecord(deployment.document, "spec.template.metadata.labels");
}

/** Labels of an object itself. */
export function labels({ document }: Manifest): Readonly<Record<string, unknown>> {
  return pickRecord(document, "metadata.labels");
}

/** Whether a selector chooses what has these labels; an empty one here chooses nothing, as it would be a mistake. */
export function selects(
  selector: Readonly<Record<string, unknown>>,
  found: Readonly<Record<string, unknown>>,
): boolean {
  const entries = Object.entries(selector);
  return entries.length > 0 && entries.every(([name, value]) => found[name] === value);
}
