import { MODEL_DEFAULTS } from "../../core/inference/request.ts";
import type { FieldReader, InputLimits } from "../native/field-reader.ts";
import { nameOf } from "../native/field-reader.ts";

/**
 * Reads the fields that the requests of this dialect have in common. Fields that nobody knows are passed over, as Text
 * Embeddings Inference does. An option stands in the body itself, or, as Hugging Face's task API has it, in an object
 * `parameters`.
 */

/** Problem of a list or text that is there and empty. This dialect has a kind of error of its own for it. */
export const EMPTY = "cannot be empty";

/** What these requests can never say: they ask the default version, online. */
export const NO_CHOICES = { version: undefined, lane: "online", options: MODEL_DEFAULTS } as const;

/** A text of allowed length; an empty one stands for what was reported. */
export function readText(
  read: FieldReader,
  field: string,
  value: unknown,
  limits: InputLimits,
): string {
  if (value !== "") return read.text(field, value, limits);
  read.report(field, EMPTY);
  return "";
}

/** The entries of a list that is neither empty nor too long; none when that was reported. */
export function readEntries(
  read: FieldReader,
  field: string,
  value: unknown,
  max: number,
): readonly unknown[] {
  if (!Array.isArray(value)) {
    read.report(field, `must be a list of 1 to ${max} texts; found ${nameOf(value)}`);
    return [];
  }
  if (value.length === 0) read.report(field, EMPTY);
  if (value.length <= max) return value;
  read.report(field, `must hold at most ${max} texts; found ${value.length}`);
  return [];
}

/** An option and the name under which it was sent. */
export interface FoundOption {
  readonly field: string;
  /** `undefined` when it was not sent, or sent as null. */
  readonly value: unknown;
}

/** An option of the body, or else of its `parameters`. */
export function findOption(read: FieldReader, name: string): FoundOption {
  const parameters = readParameters(read);
  const own = read.fields[name] ?? undefined;
  if (own !== undefined || parameters === undefined) return { field: name, value: own };
  return { field: `parameters.${name}`, value: parameters[name] ?? undefined };
}

/** The object `parameters`, if there is one. */
export function readParameters(read: FieldReader): Readonly<Record<string, unknown>> | undefined {
  const parameters = read.fields["parameters"];
  if (typeof parameters !== "object" || parameters === null || Array.isArray(parameters)) {
    return undefined;
  }
  return parameters as Readonly<Record<string, unknown>>;
}

/** Reports `parameters` that are no object. */
export function assertParameters(read: FieldReader): void {
  const parameters = read.fields["parameters"] ?? undefined;
  if (parameters === undefined || readParameters(read) !== undefined) return;
  read.report("parameters", `must be an object of options; found ${nameOf(parameters)}`);
}

export function readFlag(read: FieldReader, name: string, byDefault: boolean): boolean {
  const { field, value } = findOption(read, name);
  if (value === undefined) return byDefault;
  if (typeof value === "boolean") return value;
  read.report(field, `must be true or false; found ${nameOf(value)}`);
  return byDefault;
}

/** A whole number from 1 to `max`. */
export function readCount(read: FieldReader, name: string, max: number): number | undefined {
  const { field, value } = findOption(read, name);
  if (value === undefined) return undefined;
  if (Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= max) {
    return Number(value);
  }
  read.report(field, `must be a whole number from 1 to ${max}; found ${nameOf(value)}`);
  return undefined;
}

/**
 * Which model to ask. Text Embeddings Inference serves one and has no such field; here it is a way to name another than
 * the default.
 */
export function readModel(read: FieldReader): string | undefined {
  const value = read.fields["model"] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === "string" && value !== "" && value.length <= 128) return value;
  read.report("model", `must be a string of 1 to 128 characters; found ${nameOf(value)}`);
  return undefined;
}
