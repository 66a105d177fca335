import { SluiceError } from "../errors.ts";
import type { ProblemType } from "../text/labels.ts";
import { defaultActivation } from "../text/labels.ts";
import type { ModelManifest, ModelTask, TextManifest } from "./manifest.ts";

/** What somebody has said about a model that runs elsewhere. */
export interface RemoteModelFacts {
  readonly name: string;
  readonly version: string;
  readonly task: ModelTask;
  /** In the order of its output. */
  readonly labels?: readonly string[] | undefined;
  readonly problemType?: ProblemType | undefined;
}

/** The part of a manifest that is about the files of a package, for a model that has none here. */
export const NO_FILES = {
  model: { path: "remote", sha256: "0".repeat(64) },
  tokenizer: { kind: "remote" },
  inputs: { ids: undefined, padId: 0 },
  maxTokens: undefined,
  windows: { max: 1, overlapTokens: 0 },
  output: { name: undefined, pooling: "none", normalize: false },
} as const satisfies Partial<TextManifest>;

/**
 * A manifest made of it. Pure.
 *
 * @throws SluiceError `invalid_argument` when a classifier's labels are missing or not all different
 */
export function parseRemoteManifest(facts: RemoteModelFacts): ModelManifest {
  const { name, version, task } = facts;
  const shared = { name, version, description: "Runs on other servers.", license: "unknown" };
  if (task === "tensor") return { ...shared, task, model: NO_FILES.model, maxJoinedRows: 1 };
  const isClassifier = task === "classification";
  const problemType = isClassifier
    ? (facts.problemType ?? "single_label_classification")
    : "regression";
  return {
    ...shared,
    ...NO_FILES,
    task,
    problemType,
    labels: toLabels(facts),
    languages: [],
    defaultFunction: task === "scoring" ? "sigmoid" : defaultActivation(problemType),
    thresholds: {},
    abstainBelow: undefined,
  };
}

function toLabels({ name, task, labels = [] }: RemoteModelFacts): readonly string[] {
  if (task === "embedding") return [];
  if (task === "scoring") return ["score"];
  if (labels.length > 0 && new Set(labels).size === labels.length) return labels;
  const problem = "must be the labels of a classifier, all different, in the order of its output";
  throw new SluiceError("invalid_argument", `labels of the remote model ${name} ${problem}.`, {
    details: [{ field: "labels", problem }],
  });
}
