import type { StringFormat, ValueSchema } from "./setting.ts";

const FORMAT_MEANINGS = {
  "date-time": "a date and time with time zone, like 2030-01-31T00:00:00Z",
  "address-range": "an IP address or CIDR range, like 10.0.0.0/8",
} as const satisfies Record<StringFormat, string>;

/** What a schema accepts, in words that complete "expected …". */
export function toExpectation(schema: ValueSchema): string {
  switch (schema.type) {
    case "integer":
      return `a whole number${toRange(schema)}`;
    case "number":
      return `a number${toRange(schema)}`;
    case "boolean":
      return "true or false";
    case "string":
      return toStringExpectation(schema);
    case "array":
      return `a list${schema.maxItems === undefined ? "" : ` of at most ${schema.maxItems}`}`;
    case "object":
      return schema.properties === undefined ? "a map from names to text" : "an object";
  }
}

/** What was found, short enough for a message. A secret is never repeated. */
export function toFound(value: unknown, schema: ValueSchema): string {
  if (value === undefined) return "nothing";
  if (value === null) return "an empty value";
  if (value === "") return "an empty text";
  if (holdsSecret(schema))
    return typeof value === "string" ? `${value.length} characters` : "another type";
  if (typeof value === "object") return Array.isArray(value) ? "a list" : "an object";
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length <= 80 ? shown : `${shown.slice(0, 77)}…`;
}

/** Whether a value of this schema may contain something that must not be shown. */
export function holdsSecret(schema: ValueSchema): boolean {
  return (
    schema.secret === true ||
    (schema.items !== undefined && holdsSecret(schema.items)) ||
    Object.values(schema.properties ?? {}).some(holdsSecret)
  );
}

function toRange(schema: ValueSchema): string {
  if (schema.minimum === undefined || schema.maximum === undefined) return "";
  return ` from ${schema.minimum} to ${schema.maximum}`;
}

function toStringExpectation(schema: ValueSchema): string {
  if (schema.enum !== undefined)
    return schema.enum.length === 1 ? `${schema.enum[0]}` : `one of ${schema.enum.join(", ")}`;
  if (schema.format !== undefined) return FORMAT_MEANINGS[schema.format];
  return schema.patternMeaning ?? "a text that is not empty";
}
