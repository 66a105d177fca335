/**
 * Readers for documents of unknown shape, such as manifests. A path is words with full stops between them; numbers count
 * elements of lists. What is not there is undefined, or empty.
 */

export function pick(value: unknown, path: string): unknown {
  let found = value;
  for (const word of path.split(".")) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as Record<string, unknown>)[word];
  }
  return found;
}

export function pickList(value: unknown, path: string): readonly unknown[] {
  const found = pick(value, path);
  return Array.isArray(found) ? found : [];
}

export function pickRecord(value: unknown, path: string): Readonly<Record<string, unknown>> {
  const found = pick(value, path);
  const isRecord = typeof found === "object" && found !== null && !Array.isArray(found);
  return isRecord ? (found as Record<string, unknown>) : {};
}

export function pickText(value: unknown, path: string): string {
  const found = pick(value, path);
  return found === undefined || found === null ? "" : String(found);
}
