/** A JSON object with fields that nobody has looked at yet. */
export type Fields = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value itself when it is an object, else an object without fields. */
export function toFields(value: unknown): Fields {
  return isRecord(value) ? value : {};
}
