import type { FieldProblem } from "../../../core/errors.ts";
import type { TextManifest } from "../../../core/models/manifest.ts";
import type { Fields } from "../is-record.ts";
import { toFields } from "../is-record.ts";
import { countLabels, parseExportLabels } from "./export-labels.ts";
import { toMaxTokens, toPadId } from "./export-max-tokens.ts";
import { toEmbeddingOutput } from "./export-output.ts";
import type { HuggingFaceExport } from "./hugging-face-export.ts";

type Task = TextManifest["task"];

/** Ends of the names of architectures, with what they are served as. */
const CLASSIFIER = "ForSequenceClassification";
const ENCODER = "Model";
const LANGUAGE_MODEL = "ForMaskedLM";

const PROBLEM_TYPES: readonly TextManifest["problemType"][] = [
  "single_label_classification",
  "multi_label_classification",
  "regression",
];

const DESCRIPTIONS: Readonly<Record<Task, string>> = {
  classification: "Text classification",
  embedding: "Text embedding",
  scoring: "Scores for pairs of texts",
};

export interface ManifestFields {
  /** To be checked by `parseManifest`; it lacks name, version, model and digest. */
  readonly fields: Fields;
  /** What keeps the export from being served; fields are named with their file. */
  readonly problems: readonly FieldProblem[];
}

/**
 * Says in the words of a manifest what the files of an export say. Pure.
 *
 * @param stated fields of a `manifest.json` that extends the export: they win, and what they replace is not looked at
 */
export function toManifestFields(files: HuggingFaceExport, stated: Fields): ManifestFields {
  const problems: FieldProblem[] = [];
  const { config } = files;
  const architecture = findArchitecture(config);
  const task = stated["task"] ?? decideTask(files, architecture, problems);
  const fields = {
    task,
    languages: files.card.languages,
    tokenizer: { kind: "tokenizer.json", path: "tokenizer.json" },
    maxTokens: toMaxTokens(files),
    ...toAnswerFields(files, task, stated, problems),
    description: `${DESCRIPTIONS[toTask(task)]} with ${architecture ?? "a transformer"}.`,
    license: files.card.license ?? "unknown",
  };
  const inputs = { padId: toPadId(config), ...toFields(stated["inputs"]) };
  return {
    fields: { ...fields, ...stated, inputs, output: toOutput(files, task, stated, problems) },
    problems,
  };
}

/** Of several architectures the first that is served. */
function findArchitecture(config: Fields): string | undefined {
  const { architectures } = config;
  const stated: readonly unknown[] = Array.isArray(architectures) ? architectures : [];
  const names = stated.filter((name) => typeof name === "string");
  const isServed = (name: string) =>
    [CLASSIFIER, ENCODER, LANGUAGE_MODEL].some((end) => name.endsWith(end));
  return names.find(isServed) ?? names[0];
}

function decideTask(
  files: HuggingFaceExport,
  architecture: string | undefined,
  problems: FieldProblem[],
): Task | undefined {
  const { config, modules, pooling, sentenceBertConfig } = files;
  if (architecture?.endsWith(CLASSIFIER)) return isScorer(config) ? "scoring" : "classification";
  const isSentenceTransformer = [modules, pooling, sentenceBertConfig].some(
    (file) => file !== undefined,
  );
  if (architecture?.endsWith(ENCODER)) return "embedding";
  if (isSentenceTransformer && (architecture?.endsWith(LANGUAGE_MODEL) ?? true)) return "embedding";
  const found = architecture === undefined ? "it is missing" : `found ${architecture}`;
  problems.push({
    field: "config.json architectures",
    problem:
      `must name an architecture that is served: …${CLASSIFIER} (classification; scoring with one label), ` +
      `…${ENCODER} (embedding) or …${LANGUAGE_MODEL} with the files of sentence-transformers (embedding); ${found}`,
  });
  return undefined;
}

/** One number for a pair of texts, as cross-encoders and rerankers give it, unless that number means something else. */
function isScorer(config: Fields): boolean {
  const { problem_type: problemType } = config;
  return countLabels(config) === 1 && (problemType === undefined || problemType === null);
}

function toAnswerFields(
  files: HuggingFaceExport,
  task: unknown,
  stated: Fields,
  problems: FieldProblem[],
): Fields {
  const { config } = files;
  if (task === "scoring") {
    const isStated = stated["defaultFunction"] !== undefined;
    return { defaultFunction: isStated ? undefined : parseScorerFunction(config, problems) };
  }
  if (task !== "classification") return {};
  const problemType = stated["problemType"] ?? parseProblemType(config, problems);
  const labels = stated["labels"] ?? parseExportLabels(config, problems);
  // With several labels sentence-transformers writes Identity when nobody chose anything, so that says nothing.
  const defaultFunction = findCrossEncoderFunction(config) === "Sigmoid" ? "sigmoid" : undefined;
  return { problemType, labels, defaultFunction };
}

function parseProblemType(config: Fields, problems: FieldProblem[]): unknown {
  const stated = config["problem_type"] ?? "single_label_classification";
  if (PROBLEM_TYPES.some((one) => one === stated)) return stated;
  const problem = `must be ${PROBLEM_TYPES.join(", ")} or left out; found ${JSON.stringify(stated)}`;
  problems.push({ field: "config.json problem_type", problem });
  return undefined;
}

function parseScorerFunction(
  config: Fields,
  problems: FieldProblem[],
): TextManifest["defaultFunction"] | undefined {
  const found = findCrossEncoderFunction(config);
  if (found === undefined) return undefined;
  if (found === "Sigmoid") return "sigmoid";
  if (found !== "Identity") {
    const way = 'state "defaultFunction" in a manifest.json that extends config.json';
    const problem = `must be Sigmoid or Identity; found ${found}; ${way}`;
    problems.push({ field: "config.json activation_fn", problem });
  }
  return "none";
}

/** What sentence-transformers puts on top of a cross-encoder: the name of a class of PyTorch; older spelling second. */
function findCrossEncoderFunction(config: Fields): string | undefined {
  const named =
    toFields(config["sentence_transformers"])["activation_fn"] ??
    config["sbert_ce_default_activation_function"];
  return typeof named === "string" ? named.split(".").at(-1) : undefined;
}

function toOutput(
  files: HuggingFaceExport,
  task: unknown,
  stated: Fields,
  problems: FieldProblem[],
): Fields {
  const output = toFields(stated["output"]);
  if (task !== "embedding" || output["pooling"] !== undefined) return output;
  return { ...toEmbeddingOutput(files, problems), ...output };
}

function toTask(task: unknown): Task {
  return task === "embedding" || task === "scoring" ? task : "classification";
}
