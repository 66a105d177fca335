import type { FieldReader } from "../field-reader.ts";
import { nameOf } from "../field-reader.ts";

/** A field of a JSON object: what it must be, and what it is when it is left out. Without `otherwise` it must be there. */
export interface ShapeField {
  readonly is: "text" | "number" | "boolean" | "numbers";
  readonly otherwise?: string | number | boolean | readonly number[] | null;
}

/** The fields of an object, by their names in the core. On the wire these are `snake_case`. */
export type Shape = Readonly<Record<string, ShapeField>>;

type Value = string | number | boolean | readonly number[] | null;

const NOUNS = {
  text: "a string",
  number: "a number",
  boolean: "true or false",
  numbers: "a list of numbers",
} as const;
const MAX_TEXT = 4096;
const MAX_NUMBERS = 1000;

/** `stepWeight` → `step_weight`, in every part of a path. */
export function toWireName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * Reads the fields of an object. What is wrong is reported, and stands as its `otherwise`.
 *
 * @param path what goes before the names of the fields, e.g. `strategy.`; empty for the body itself
 * @param others names that are read elsewhere
 */
export function readShape(
  read: FieldReader,
  path: string,
  value: Readonly<Record<string, unknown>>,
  shape: Shape,
  others: readonly string[] = [],
): Record<string, Value> {
  const known = [...Object.keys(shape).map(toWireName), ...others];
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue;
    read.report(`${path}${name.slice(0, 64)}`, `is not a field; known are ${known.join(", ")}`);
  }
  const found: Record<string, Value> = {};
  for (const [name, field] of Object.entries(shape)) {
    const wire = toWireName(name);
    found[name] = readField(read, `${path}${wire}`, value[wire], field);
  }
  return found;
}

/** An object at `path`; undefined, and reported, when it is something else. */
export function readObject(
  read: FieldReader,
  path: string,
  value: unknown,
): Readonly<Record<string, unknown>> | undefined {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  read.report(path, `must be an object; found ${nameOf(value)}`);
  return undefined;
}

/** A list at `path`, an entry at a time; empty, and reported, when it is something else. */
export function readList<Entry>(
  read: FieldReader,
  path: string,
  value: unknown,
  readEntry: (entry: Readonly<Record<string, unknown>>, path: string) => Entry | undefined,
): readonly Entry[] {
  if (!Array.isArray(value)) {
    read.report(path, `must be a list; found ${nameOf(value)}`);
    return [];
  }
  const entries: Entry[] = [];
  for (const [index, one] of value.entries()) {
    if (read.isFull) break;
    const at = `${path}[${index}]`;
    const object = readObject(read, at, one);
    const entry = object === undefined ? undefined : readEntry(object, at);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

function readField(read: FieldReader, path: string, value: unknown, field: ShapeField): Value {
  const { is, otherwise } = field;
  if (value === undefined || (value === null && otherwise === null)) {
    if (otherwise !== undefined) return otherwise;
    read.report(path, `is missing; send ${NOUNS[is]}`);
    return EMPTY[is];
  }
  if (isOf(is, value)) return value;
  read.report(path, `must be ${NOUNS[is]}; found ${nameOf(value)}`);
  return otherwise ?? EMPTY[is];
}

const EMPTY = { text: "", number: 0, boolean: false, numbers: [] } as const;

function isOf(is: ShapeField["is"], value: unknown): value is Value {
  if (is === "text") return typeof value === "string" && value.length <= MAX_TEXT;
  if (is === "numbers") {
    if (!Array.isArray(value) || value.length > MAX_NUMBERS) return false;
    return value.every((one) => typeof one === "number");
  }
  return typeof value === is;
}
