const METRIC = /([\w-]+)(?:;desc=[^;,]*)?;dur=([\d.]+)/g;
const FIELD = "\r\nserver-timing: ";

/**
 * Durations of the `Server-Timing` header (W3C Server Timing) in the head of an answer, in milliseconds by name.
 * Empty when there is no such header.
 */
export function parseServerTiming(head: string): ReadonlyMap<string, number> {
  const durations = new Map<string, number>();
  const at = head.indexOf(FIELD);
  if (at < 0) return durations;
  const start = at + FIELD.length;
  const end = head.indexOf("\r\n", start);
  const value = head.slice(start, end < 0 ? undefined : end);
  for (const [, name = "", duration = ""] of value.matchAll(METRIC)) {
    durations.set(name, Number(duration));
  }
  return durations;
}
