import type { ModelRegistry } from "../models/registry.ts";

/** Whether a model gives labels, so that its releases are judged by these too. */
export function givesLabels(model: string, registry: Pick<ModelRegistry, "list">): boolean {
  return registry.list().some((one) => {
    const manifest = one.model === model ? one.serving?.manifest : undefined;
    return manifest?.task === "classification" && manifest.problemType !== "regression";
  });
}
