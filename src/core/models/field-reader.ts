import type { FieldProblem } from "../errors.ts";

/** Says whether an unknown value is what a field wants. */
export type Guard<T> = (value: unknown) => value is T;

/**
 * Reads an unknown value field by field and collects everything that is wrong with it. Fields are dotted paths, such
 * as `model.path`.
 */
export class FieldReader {
  readonly problems: FieldProblem[] = [];
  readonly #root: Readonly<Record<string, unknown>>;

  constructor(root: Readonly<Record<string, unknown>>) {
    this.#root = root;
  }

  /**
   * The field's value. When it is missing or wrong, a problem is noted and `substitute` takes its place, so that the
   * fields after it can still be looked at.
   *
   * @param expected completes the sentence "it must be …"
   */
  required<T>(field: string, expected: string, guard: Guard<T>, substitute: T): T {
    const value = this.valueOf(field);
    if (guard(value)) return value;
    this.reject(field, `must be ${expected}; ${describeFound(value)}`);
    return substitute;
  }

  /** Like {@link required}, but a field that is not there has the value `fallback`. */
  optional<T>(field: string, expected: string, guard: Guard<T>, fallback: T): T {
    return this.valueOf(field) === undefined
      ? fallback
      : this.required(field, expected, guard, fallback);
  }

  reject(field: string, problem: string): void {
    this.problems.push({ field, problem });
  }

  valueOf(field: string): unknown {
    const step = (node: unknown, key: string) => (isRecord(node) ? node[key] : undefined);
    return field.split(".").reduce<unknown>(step, this.#root);
  }
}

function describeFound(value: unknown): string {
  if (value === undefined) return "it is missing";
  return `found ${JSON.stringify(value)?.slice(0, 80)}`;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

export function isFilledString(value: unknown): value is string {
  return typeof value === "string" && value.length > 0;
}

export function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isFilledString);
}

/** A number between 0 and 1, both included. */
export function isShare(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 1;
}

export function isWhole(minimum: number, maximum: number): Guard<number> {
  return (value): value is number =>
    Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum;
}

export function isOneOf<T extends string>(choices: readonly T[]): Guard<T> {
  return (value): value is T => choices.some((choice) => choice === value);
}

export function matches(pattern: RegExp): Guard<string> {
  return (value): value is string => typeof value === "string" && pattern.test(value);
}

/** For messages: `"a", "b" or "c"`. */
export function quoted(choices: readonly string[]): string {
  const all = choices.map((choice) => JSON.stringify(choice));
  return [all.slice(0, -1).join(", "), all.at(-1)].filter((part) => part !== "").join(" or ");
}
