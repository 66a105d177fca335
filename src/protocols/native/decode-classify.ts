import type { FieldProblem } from "../../core/errors.ts";
import { SluiceError } from "../../core/errors.ts";
import type { InferenceOptions } from "../../core/inference/request.ts";
import type { ActivationFunction } from "../../core/text/labels.ts";
import { ACTIVATION_FUNCTIONS } from "../../core/text/labels.ts";
import { countCharacters } from "../../core/text/normalize.ts";

/** Bounds on what one request may carry. */
export interface ClassifyLimits {
  readonly maxTextCharacters: number;
  readonly maxTextsPerRequest: number;
}

/** The body of `POST /classify`, decoded. */
export interface DecodedClassify {
  /** `undefined` = the server's default model. */
  readonly model: string | undefined;
  readonly version: string | undefined;
  readonly texts: readonly string[];
  /** True for the form `{texts: […]}`, which is answered with `results`. */
  readonly isBatch: boolean;
  readonly options: InferenceOptions;
}

const FIELDS = ["text", "texts", "model", "model_version", "top_k", "function_to_apply"] as const;
/** More problems than these help nobody, and a hostile body could hold a million. */
const MAX_PROBLEMS = 16;

/**
 * Reads the parsed JSON body of `POST /classify`.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function decodeClassify(body: unknown, limits: ClassifyLimits): DecodedClassify {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw invalid([{ field: "body", problem: `must be a JSON object; found ${nameOf(body)}` }]);
  }
  const fields = body as Readonly<Record<string, unknown>>;
  const problems: FieldProblem[] = [];
  const isBatch = fields["texts"] !== undefined;
  const texts = isBatch
    ? decodeTexts(fields, limits, problems)
    : decodeText(fields["text"], limits, problems);
  const model = decodeName("model", fields["model"], problems);
  const version = decodeName("model_version", fields["model_version"], problems);
  const topK = decodeTopK(fields["top_k"], problems);
  const functionToApply = decodeActivation(fields["function_to_apply"], problems);
  refuseUnknown(fields, problems);
  if (problems.length > 0) throw invalid(problems);
  return { model, version, texts, isBatch, options: { topK, functionToApply } };
}

function decodeText(
  value: unknown,
  limits: ClassifyLimits,
  problems: FieldProblem[],
): readonly string[] {
  const problem = textProblem(value, limits);
  if (problem === undefined) return [value as string];
  problems.push({ field: "text", problem });
  return [];
}

function decodeTexts(
  fields: Readonly<Record<string, unknown>>,
  limits: ClassifyLimits,
  problems: FieldProblem[],
): readonly string[] {
  const value = fields["texts"];
  if (fields["text"] !== undefined) {
    problems.push({ field: "text", problem: "cannot stand beside texts; send one of the two" });
  }
  const max = limits.maxTextsPerRequest;
  if (!Array.isArray(value) || value.length === 0 || value.length > max) {
    const found = Array.isArray(value) ? `a list of ${value.length}` : nameOf(value);
    problems.push({
      field: "texts",
      problem: `must be a list of 1 to ${max} strings; found ${found}`,
    });
    return [];
  }
  for (const [index, text] of value.entries()) {
    const problem = textProblem(text, limits);
    if (problem !== undefined) problems.push({ field: `texts[${index}]`, problem });
    if (problems.length >= MAX_PROBLEMS) break;
  }
  return value as string[];
}

function textProblem(
  value: unknown,
  { maxTextCharacters: max }: ClassifyLimits,
): string | undefined {
  if (value === undefined) return `is missing; send a string of 1 to ${max} characters`;
  if (typeof value !== "string") {
    return `must be a string of 1 to ${max} characters; found ${nameOf(value)}`;
  }
  if (value.length === 0) return `must hold 1 to ${max} characters; found an empty string`;
  // UTF-16 length is an upper bound of the character count, so most texts need no counting.
  if (value.length <= max) return undefined;
  const characters = countCharacters(value);
  return characters <= max ? undefined : `must hold at most ${max} characters; found ${characters}`;
}

function decodeName(field: string, value: unknown, problems: FieldProblem[]): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && value.length > 0 && value.length <= 128) return value;
  problems.push({
    field,
    problem: `must be a string of 1 to 128 characters; found ${nameOf(value)}`,
  });
  return undefined;
}

function decodeTopK(value: unknown, problems: FieldProblem[]): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value);
  const problem = `must be a whole number, 0 for all labels; found ${nameOf(value)}`;
  problems.push({ field: "top_k", problem });
  return undefined;
}

function decodeActivation(
  value: unknown,
  problems: FieldProblem[],
): ActivationFunction | undefined {
  if (value === undefined || value === null) return undefined;
  const known = ACTIVATION_FUNCTIONS.find((name) => name === value);
  if (known !== undefined) return known;
  problems.push({
    field: "function_to_apply",
    problem: `must be one of ${ACTIVATION_FUNCTIONS.join(", ")}; found ${nameOf(value)}`,
  });
  return undefined;
}

function refuseUnknown(fields: Readonly<Record<string, unknown>>, problems: FieldProblem[]): void {
  const known: readonly string[] = FIELDS;
  for (const field in fields) {
    if (known.includes(field)) continue;
    if (problems.length >= MAX_PROBLEMS) return;
    const shown = field.slice(0, 64);
    problems.push({ field: shown, problem: `is not a field; known are ${FIELDS.join(", ")}` });
  }
}

function invalid(problems: readonly FieldProblem[]): SluiceError {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  const message =
    first === undefined ? "Invalid request." : `${first.field} ${first.problem}${more}.`;
  return new SluiceError("invalid_argument", message, { details: problems });
}

/** Names a JSON value's kind. Never a string's content: callers' texts do not belong into messages and logs. */
function nameOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  if (typeof value === "string") return `a string of length ${value.length}`;
  return `the ${typeof value} ${String(value)}`;
}
