import type { FieldProblem } from "../../core/errors.ts";
import { SluiceError } from "../../core/errors.ts";
import type { Lane } from "../../core/inference/lanes.ts";
import { LANES } from "../../core/inference/lanes.ts";
import type { InferenceOptions } from "../../core/inference/request.ts";
import { ACTIVATION_FUNCTIONS } from "../../core/text/labels.ts";
import { countCharacters } from "../../core/text/normalize.ts";

/** Bounds on what one request may carry. */
export interface InputLimits {
  readonly maxTextCharacters: number;
  readonly maxTextsPerRequest: number;
}

/** Fields that every native request may have beside its texts. */
export const OPTION_FIELDS = [
  "model",
  "model_version",
  "top_k",
  "function_to_apply",
  "abstain_below",
  "lane",
] as const;

/** What those fields say. */
export interface DecodedOptions {
  /** `undefined` = the server's default model. */
  readonly model: string | undefined;
  readonly version: string | undefined;
  readonly options: InferenceOptions;
  readonly lane: Lane;
}

/** More problems than these help nobody, and a hostile body could hold a million. */
const MAX_PROBLEMS = 16;
const MAX_NAME_LENGTH = 128;

/** Reads the fields of a JSON body and collects everything that is wrong with them. */
export class FieldReader {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly #problems: FieldProblem[] = [];

  /** @throws SluiceError `invalid_argument` when the body is no object */
  constructor(body: unknown) {
    if (typeof body !== "object" || body === null || Array.isArray(body)) {
      throw invalid([{ field: "body", problem: `must be a JSON object; found ${nameOf(body)}` }]);
    }
    this.fields = body as Readonly<Record<string, unknown>>;
  }

  get isFull(): boolean {
    return this.#problems.length >= MAX_PROBLEMS;
  }

  report(field: string, problem: string): void {
    if (!this.isFull) this.#problems.push({ field, problem });
  }

  /**
   * A text; an empty one stands for what was reported.
   *
   * @param limits bounds of its length; without them the core tells, so that of several texts a wrong one fails alone
   */
  text(field: string, value: unknown, limits?: InputLimits): string {
    const problem =
      limits === undefined ? typeProblem(value, "") : textProblem(value, limits.maxTextCharacters);
    if (problem === undefined) return value as string;
    this.report(field, problem);
    return "";
  }

  optionalText(field: string, value: unknown, limits?: InputLimits): string | undefined {
    return value === undefined || value === null ? undefined : this.text(field, value, limits);
  }

  options(): DecodedOptions {
    const { fields } = this;
    return {
      model: this.#name("model", fields["model"]),
      version: this.#name("model_version", fields["model_version"]),
      options: {
        topK: this.#topK(fields["top_k"]),
        functionToApply: this.#oneOf("function_to_apply", ACTIVATION_FUNCTIONS),
        abstainBelow: this.#share("abstain_below", fields["abstain_below"]),
      },
      lane: this.#oneOf("lane", LANES) ?? "online",
    };
  }

  refuseUnknown(known: readonly string[]): void {
    for (const field in this.fields) {
      if (known.includes(field)) continue;
      if (this.isFull) return;
      this.report(field.slice(0, 64), `is not a field; known are ${known.join(", ")}`);
    }
  }

  /** @throws SluiceError `invalid_argument` with one detail per wrong field, if any */
  assertNoProblems(): void {
    if (this.#problems.length > 0) throw invalid(this.#problems);
  }

  #name(field: string, value: unknown): string | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === "string" && value.length > 0 && value.length <= MAX_NAME_LENGTH) {
      return value;
    }
    this.report(
      field,
      `must be a string of 1 to ${MAX_NAME_LENGTH} characters; found ${nameOf(value)}`,
    );
    return undefined;
  }

  #topK(value: unknown): number | undefined {
    if (value === undefined || value === null) return undefined;
    if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value);
    this.report("top_k", `must be a whole number, 0 for all labels; found ${nameOf(value)}`);
    return undefined;
  }

  #share(field: string, value: unknown): number | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === "number" && value >= 0 && value <= 1) return value;
    this.report(field, `must be a number from 0 to 1; found ${nameOf(value)}`);
    return undefined;
  }

  #oneOf<Choice extends string>(field: string, choices: readonly Choice[]): Choice | undefined {
    const value = this.fields[field];
    if (value === undefined || value === null) return undefined;
    const known = choices.find((choice) => choice === value);
    if (known !== undefined) return known;
    this.report(field, `must be one of ${choices.join(", ")}; found ${nameOf(value)}`);
    return undefined;
  }
}

function typeProblem(value: unknown, bounds: string): string | undefined {
  if (typeof value === "string") return undefined;
  if (value === undefined) return `is missing; send a string${bounds}`;
  return `must be a string${bounds}; found ${nameOf(value)}`;
}

function textProblem(value: unknown, max: number): string | undefined {
  const problem = typeProblem(value, ` of 1 to ${max} characters`);
  if (problem !== undefined || typeof value !== "string") return problem;
  if (value.length === 0) return `must hold 1 to ${max} characters; found an empty string`;
  // UTF-16 length is an upper bound of the character count, so most texts need no counting.
  if (value.length <= max) return undefined;
  const characters = countCharacters(value);
  return characters <= max ? undefined : `must hold at most ${max} characters; found ${characters}`;
}

function invalid(problems: readonly FieldProblem[]): SluiceError {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  const message =
    first === undefined ? "Invalid request." : `${first.field} ${first.problem}${more}.`;
  return new SluiceError("invalid_argument", message, { details: problems });
}

/** Names a JSON value's kind. Never a string's content: callers' texts do not belong into messages and logs. */
export function nameOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  if (typeof value === "string") return `a string of length ${value.length}`;
  return `the ${typeof value} ${String(value)}`;
}
