import type { ServingVersion } from "./serving-version.ts";
import type { TensorVersion } from "./tensor-version.ts";

/** A version that is loaded, of either sort. */
export interface LoadedVersion {
  readonly serving: ServingVersion | undefined;
  readonly tensors: TensorVersion | undefined;
}

/** Names of a list that a message holds at most. */
const SHOWN = 10;

/**
 * What callers of a version rely on, as a text that is the same for versions that can take each other's place: its task,
 * its labels in whatever order, and the names and types of its tensors.
 */
export function toVersionKind({ serving, tensors }: LoadedVersion): string {
  if (serving !== undefined) {
    const { task, labels, problemType } = serving.manifest;
    return JSON.stringify([task, problemType, labels.toSorted()]);
  }
  const signature = tensors?.backend.signature;
  const list = (specs: readonly { readonly name: string; readonly datatype: string }[] = []) =>
    specs.map(({ name, datatype }) => `${name}:${datatype}`).sort();
  return JSON.stringify(["tensor", list(signature?.inputs), list(signature?.outputs)]);
}

/** Why two versions cannot take each other's place, as the rest of a sentence about `other`; undefined when they can. */
export function describeKindChange(
  current: LoadedVersion,
  other: LoadedVersion,
): string | undefined {
  if (toVersionKind(current) === toVersionKind(other)) return undefined;
  const [before, after] = [current.serving?.manifest, other.serving?.manifest];
  if (before === undefined || after === undefined) {
    if (before === undefined && after === undefined) return "has other inputs or outputs";
    return after === undefined
      ? "reads tensors instead of texts"
      : "reads texts instead of tensors";
  }
  if (before.task !== after.task) return `is for ${after.task} instead of ${before.task}`;
  const missing = before.labels.filter((label) => !after.labels.includes(label));
  const added = after.labels.filter((label) => !before.labels.includes(label));
  if (missing.length === 0 && added.length === 0) return "has another problem type";
  const name = (labels: readonly string[]) =>
    labels.slice(0, SHOWN).join(", ") + (labels.length > SHOWN ? " …" : "");
  const parts = [
    ...(missing.length > 0 ? [`without ${name(missing)}`] : []),
    ...(added.length > 0 ? [`with ${name(added)}`] : []),
  ];
  return `has other labels: ${parts.join(", ")}`;
}
