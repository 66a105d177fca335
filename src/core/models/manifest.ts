import type { FieldProblem } from "../errors.ts";
import { SluiceError } from "../errors.ts";

/** Value of `schema` in every manifest of this generation. */
export const MANIFEST_SCHEMA = "sluice.model/v1";

/** How scores relate to labels: exactly one is true (softmax), or each may be true (sigmoid). */
export type ProblemType = "single_label_classification" | "multi_label_classification";

/** A file of the package; `sha256` is lower-case hex over the whole file. */
export interface ModelFile {
  readonly path: string;
  readonly sha256: string;
}

/**
 * `manifest.json` of a model package `models/<name>/<version>/`: everything a server must know to serve the model,
 * checked when the package is discovered. `tokenizer` is checked further by the tokenizer it names.
 */
export interface ModelManifest {
  readonly schema: typeof MANIFEST_SCHEMA;
  /** Lower-case letters, digits and single hyphens; equals the folder's name. */
  readonly name: string;
  /** `major.minor.patch`; equals the folder's name. */
  readonly version: string;
  readonly task: "classification";
  readonly problemType: ProblemType;
  /** Index = position in the model's output. At least two, all different. */
  readonly labels: readonly string[];
  /** BCP 47 tags of the languages that the model was trained for. */
  readonly languages: readonly string[];
  readonly tokenizer: { readonly kind: string; readonly [setting: string]: unknown };
  readonly model: ModelFile;
  /** Name of the graph's input of ids, int64 `[batch, length]`, short rows filled with `padId`. */
  readonly inputs: { readonly ids: string; readonly padId: number };
  /** Name of the graph's output, float32 `[batch, labels]`. */
  readonly outputs: { readonly logits: string };
  readonly description: string;
  readonly license: string;
}

const NAME_PATTERN = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const VERSION_PATTERN = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/;
const SHA256_PATTERN = /^[0-9a-f]{64}$/;

/** Collects problems while reading an unknown value field by field. */
class FieldReader {
  readonly problems: FieldProblem[] = [];
  readonly #root: Record<string, unknown>;

  constructor(root: Record<string, unknown>) {
    this.#root = root;
  }

  expect(field: string, expected: string, isValid: (value: unknown) => boolean): void {
    const value = field
      .split(".")
      .reduce<unknown>((node, key) => (isRecord(node) ? node[key] : undefined), this.#root);
    if (isValid(value)) return;
    const found =
      value === undefined ? "it is missing" : `found ${JSON.stringify(value)?.slice(0, 80)}`;
    this.problems.push({ field, problem: `must be ${expected}; ${found}` });
  }
}

/**
 * Checks that `value` (parsed JSON) is a manifest and reports everything that is wrong with it at once.
 * Unknown extra fields are allowed: training tools record what they did beside what serving needs.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field.
 */
export function parseManifest(value: unknown): ModelManifest {
  if (!isRecord(value)) {
    throw new SluiceError("invalid_argument", "The manifest must be a JSON object.");
  }
  const read = new FieldReader(value);
  read.expect("schema", `"${MANIFEST_SCHEMA}"`, (v) => v === MANIFEST_SCHEMA);
  read.expect("name", "lower-case letters, digits and hyphens", matches(NAME_PATTERN));
  read.expect("version", "major.minor.patch", matches(VERSION_PATTERN));
  read.expect("task", '"classification"', (v) => v === "classification");
  read.expect(
    "problemType",
    '"single_label_classification" or "multi_label_classification"',
    (v) => v === "single_label_classification" || v === "multi_label_classification",
  );
  read.expect("labels", "a list of at least two different non-empty strings", isLabelList);
  read.expect("languages", "a list of language tags", (v) => isStringList(v));
  read.expect("tokenizer.kind", "the name of a tokenizer", isFilledString);
  read.expect("model.path", "the name of a file in the package", isFileName);
  read.expect("model.sha256", "64 lower-case hex digits", matches(SHA256_PATTERN));
  read.expect("inputs.ids", "the name of a graph input", isFilledString);
  read.expect("inputs.padId", "a whole number ≥ 0", (v) => Number.isInteger(v) && Number(v) >= 0);
  read.expect("outputs.logits", "the name of a graph output", isFilledString);
  read.expect("description", "a sentence", isFilledString);
  read.expect("license", "a licence name", isFilledString);
  if (read.problems.length > 0) {
    const summary = read.problems.map((p) => `${p.field} ${p.problem}`).join("; ");
    throw new SluiceError("invalid_argument", `Invalid manifest: ${summary}.`, {
      details: read.problems,
    });
  }
  return value as unknown as ModelManifest;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isFilledString(value: unknown): boolean {
  return typeof value === "string" && value.length > 0;
}

function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isFilledString);
}

function isLabelList(value: unknown): boolean {
  return isStringList(value) && value.length >= 2 && new Set(value).size === value.length;
}

/** A plain name, so that a manifest cannot point outside its own folder. */
function isFileName(value: unknown): boolean {
  return (
    typeof value === "string" && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value) && !value.includes("..")
  );
}

function matches(pattern: RegExp): (value: unknown) => boolean {
  return (value) => typeof value === "string" && pattern.test(value);
}
