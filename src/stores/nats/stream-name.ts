/** The stream that has the messages of a prefix: `sluice.events` has `SLUICE-EVENTS`. */
export function toStreamName(prefix: string): string {
  return prefix.replaceAll(".", "-").toUpperCase();
}
