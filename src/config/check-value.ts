import { isIP } from "node:net";
import { toExpectation, toFound } from "./expectation.ts";
import type { StringFormat, ValueSchema } from "./setting.ts";
import { suggest } from "./suggest.ts";

/** One thing wrong with a value. `path` starts with the path that the check was given. */
export interface Violation {
  readonly path: string;
  readonly expected: string;
  readonly found: string;
  readonly advice?: string;
}

/**
 * Everything in which `value` departs from `schema`; empty when it fits.
 *
 * Understands exactly the keywords of `ValueSchema`. A test holds it against a full JSON Schema validator, which
 * would take longer to load than this takes to check the whole configuration.
 */
export function checkValue(schema: ValueSchema, value: unknown, path: string): Violation[] {
  if (!isOfType(schema, value)) {
    return [{ path, expected: toExpectation(schema), found: toFound(value, schema) }];
  }
  if (schema.type === "array" && Array.isArray(value)) return checkArray(schema, value, path);
  if (schema.type === "object" && isRecord(value)) return checkObject(schema, value, path);
  return [];
}

/** Whether `value` is a plain object as YAML and JSON make them. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOfType(schema: ValueSchema, value: unknown): boolean {
  switch (schema.type) {
    case "integer":
      return Number.isSafeInteger(value) && isInRange(schema, Number(value));
    case "number":
      return typeof value === "number" && Number.isFinite(value) && isInRange(schema, value);
    case "boolean":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string" && isFittingString(schema, value);
    case "array":
      return Array.isArray(value) && value.length <= (schema.maxItems ?? Number.POSITIVE_INFINITY);
    case "object":
      return isRecord(value);
  }
}

function isInRange(schema: ValueSchema, value: number): boolean {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
  return value >= minimum && value <= maximum;
}

function isFittingString(schema: ValueSchema, value: string): boolean {
  if (schema.enum !== undefined && !schema.enum.includes(value)) return false;
  if (schema.const !== undefined && schema.const !== value) return false;
  if (value.length < (schema.minLength ?? 0)) return false;
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) return false;
  return schema.format === undefined || FORMATS[schema.format](value);
}

const FORMATS = {
  "date-time": isDateTime,
  "address-range": isAddressRange,
} as const satisfies Record<StringFormat, (value: string) => boolean>;

/** RFC 3339, with the time zone: without one, a key would expire at another moment on another machine. */
function isDateTime(value: string): boolean {
  const match = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(value);
  const day = match?.[1];
  if (day === undefined || Number.isNaN(Date.parse(value))) return false;
  // Date.parse turns 30 February into 2 March.
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}

function isAddressRange(value: string): boolean {
  const [address = "", bits, ...rest] = value.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
  );
}

function checkArray(schema: ValueSchema, value: readonly unknown[], path: string): Violation[] {
  const { items } = schema;
  if (items === undefined) return [];
  return value.flatMap((element, index) => checkValue(items, element, `${path}[${index}]`));
}

function checkObject(
  schema: ValueSchema,
  value: Readonly<Record<string, unknown>>,
  path: string,
): Violation[] {
  const missing = (schema.required ?? [])
    .filter((key) => !Object.hasOwn(value, key))
    .map((key) => {
      const expected = toExpectation(schema.properties?.[key] ?? schema);
      return { path: `${path}.${key}`, expected, found: "nothing" };
    });
  const wrong = Object.entries(value).flatMap(([key, child]) =>
    checkProperty(schema, key, child, `${path}.${key}`),
  );
  return [...missing, ...wrong];
}

function checkProperty(
  schema: ValueSchema,
  key: string,
  value: unknown,
  path: string,
): Violation[] {
  const properties = schema.properties ?? {};
  const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
  if (own !== undefined) return checkValue(own, value, path);
  if (typeof schema.additionalProperties === "object") {
    const name = schema.propertyNames;
    const ofName =
      name === undefined || isOfType(name, key) ? [] : [toNameViolation(name, key, path)];
    return [...ofName, ...checkValue(schema.additionalProperties, value, path)];
  }
  const similar = suggest(key, Object.keys(properties));
  return [
    {
      path,
      expected: `one of ${Object.keys(properties).join(", ")}`,
      found: JSON.stringify(key),
      ...(similar === undefined ? {} : { advice: `Did you mean ${similar}?` }),
    },
  ];
}

function toNameViolation(schema: ValueSchema, name: string, path: string): Violation {
  return { path, expected: toExpectation(schema), found: toFound(name, schema) };
}
