/** What tells one answer of `/classify` from another: its labels and confidences, without times and identifiers. */
const TELLING = /"(?:label|confidence)":("[^"]*"|[\d.eE+-]+)/g;

/** Labels and confidences of an answer, in order. */
export function toAnswerMark(body: Buffer | undefined): string {
  const text = body?.toString("utf8") ?? "";
  return Array.from(text.matchAll(TELLING), ([, value]) => value).join(" ");
}
