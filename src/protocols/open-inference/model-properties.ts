import type { ModelManifest, TextManifest } from "../../core/models/manifest.ts";
import { MODEL_TASKS } from "../../core/models/manifest.ts";
import type { ActivationFunction, ProblemType } from "../../core/text/labels.ts";
import { ACTIVATION_FUNCTIONS, PROBLEM_TYPES } from "../../core/text/labels.ts";
import { invalidField } from "../invalid-field.ts";
import { toRemoteProblem } from "./remote-problem.ts";

/**
 * What is known of a model beyond its signature, as the `properties` of its metadata: texts by name; lists and objects
 * are JSON. A gateway reads them to serve the model as its engine would.
 */
export interface ModelProperties {
  readonly manifest: ModelManifest;
  /** See `ModelPackage.digest`. */
  readonly digest: string;
  /** Whether it can be given a second text. */
  readonly readsPairs: boolean;
}

/** Names and values of what `properties` says. */
export function encodeModelProperties(model: ModelProperties): Readonly<Record<string, string>> {
  const { manifest, digest } = model;
  const { task, description, license } = manifest;
  const shared = { task, description, license, digest };
  if (manifest.task === "tensor") {
    return { ...shared, max_joined_rows: String(manifest.maxJoinedRows) };
  }
  const { labels, languages, problemType, defaultFunction, thresholds, abstainBelow } = manifest;
  return {
    ...shared,
    reads_pairs: String(model.readsPairs),
    default_function: defaultFunction,
    ...(task === "embedding" ? {} : { problem_type: problemType }),
    ...(labels.length === 0 ? {} : { labels: JSON.stringify(labels) }),
    ...(languages.length === 0 ? {} : { languages: JSON.stringify(languages) }),
    ...(Object.keys(thresholds).length === 0 ? {} : { thresholds: JSON.stringify(thresholds) }),
    ...(abstainBelow === undefined ? {} : { abstain_below: String(abstainBelow) }),
  };
}

/** A text manifest's part that is about the files of a package, for a model that has none here. */
const NO_FILES = {
  model: { path: "remote", sha256: "0".repeat(64) },
  tokenizer: { kind: "remote" },
  inputs: { ids: undefined, padId: 0 },
  maxTokens: undefined,
  windows: { max: 1, overlapTokens: 0 },
  output: { name: undefined, pooling: "none", normalize: false },
} as const satisfies Partial<TextManifest>;

/**
 * The inverse, for a model that another Sluice serves.
 *
 * @returns undefined when the properties are not of a Sluice: then somebody has to say what the model is
 * @throws SluiceError `unavailable` when they make no sense
 */
export function decodeModelProperties(
  name: string,
  version: string,
  properties: Readonly<Record<string, string>>,
): ModelProperties | undefined {
  const { digest, description = "", license = "unknown" } = properties;
  if (digest === undefined || properties["task"] === undefined) return undefined;
  return toRemoteProblem(() => {
    const task = oneOf(properties, "task", MODEL_TASKS, undefined);
    const shared = { name, version, description, license };
    if (task === "tensor") {
      const maxJoinedRows = Number(properties["max_joined_rows"] ?? 1);
      const { model } = NO_FILES;
      return { manifest: { ...shared, task, model, maxJoinedRows }, digest, readsPairs: false };
    }
    const abstainBelow = properties["abstain_below"];
    const manifest: TextManifest = {
      ...NO_FILES,
      ...shared,
      task,
      problemType: oneOf<ProblemType>(properties, "problem_type", PROBLEM_TYPES, "regression"),
      labels: listOf(properties, "labels"),
      languages: listOf(properties, "languages"),
      defaultFunction: oneOf<ActivationFunction>(
        properties,
        "default_function",
        ACTIVATION_FUNCTIONS,
        "none",
      ),
      thresholds: numbersOf(properties, "thresholds"),
      abstainBelow: abstainBelow === undefined ? undefined : Number(abstainBelow),
    };
    return { manifest, digest, readsPairs: properties["reads_pairs"] === "true" };
  });
}

type Properties = Readonly<Record<string, string>>;

function oneOf<Choice extends string>(
  properties: Properties,
  name: string,
  choices: readonly Choice[],
  fallback: Choice | undefined,
): Choice {
  const value = properties[name] ?? fallback;
  const known = choices.find((choice) => choice === value);
  if (known !== undefined) return known;
  throw invalidField(`properties.${name}`, `must be one of ${choices.join(", ")}`);
}

function listOf(properties: Properties, name: string): readonly string[] {
  const value = jsonOf(properties, name, []);
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value;
  throw invalidField(`properties.${name}`, "must be a JSON list of texts");
}

function numbersOf(properties: Properties, name: string): Readonly<Record<string, number>> {
  const value = jsonOf(properties, name, {});
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (isObject && Object.values(value).every((one) => typeof one === "number")) {
    return value as Readonly<Record<string, number>>;
  }
  throw invalidField(`properties.${name}`, "must be a JSON object of numbers");
}

function jsonOf(properties: Properties, name: string, fallback: unknown): unknown {
  const text = properties[name];
  if (text === undefined) return fallback;
  try {
    return JSON.parse(text);
  } catch {
    throw invalidField(`properties.${name}`, "must be JSON");
  }
}
