/** What the metadata of a model card says; empty or undefined where it says nothing. */
export interface ModelCard {
  readonly languages: readonly string[];
  readonly license: string | undefined;
}

const FRONT_MATTER = /^\ufeff?---\r?\n([\s\S]*?)\r?\n---/;
/** `key: value` at the start of a line. */
const ENTRY = /^([a-z_]+):[ \t]*(.*)$/;
/** One element of a list that is written over several lines. */
const ELEMENT = /^[ \t]*-[ \t]+(.+)$/;

/**
 * Reads languages and licence from the YAML block at the start of a `README.md`, in the forms in which model cards
 * write them: one value, `[a, b]`, or one line per value. A YAML parser would take longer to load than everything else
 * takes to read, and would make a boolean of the language `no`. Anything else counts as not said: a card is for people
 * and keeps no model from serving.
 */
export function parseModelCard(readme: string): ModelCard {
  const lines = (FRONT_MATTER.exec(readme)?.[1] ?? "").split(/\r?\n/);
  const license = readEntry(lines, "license")[0];
  return {
    languages: readEntry(lines, "language"),
    license: (license === "other" ? readEntry(lines, "license_name")[0] : undefined) ?? license,
  };
}

function readEntry(lines: readonly string[], key: string): readonly string[] {
  const at = lines.findIndex((line) => ENTRY.exec(line)?.[1] === key);
  if (at < 0) return [];
  const value = toPlainText(ENTRY.exec(lines[at] ?? "")?.[2] ?? "");
  if (value.startsWith("[")) return value.slice(1, -1).split(",").map(toPlainText).filter(Boolean);
  if (value !== "") return [value];
  const elements: string[] = [];
  for (const line of lines.slice(at + 1)) {
    const element = ELEMENT.exec(line)?.[1];
    if (element === undefined) break;
    elements.push(toPlainText(element));
  }
  return elements.filter(Boolean);
}

/** Without blanks around it, a comment after it, and quotes. */
function toPlainText(value: string): string {
  const text = value.replace(/(^|\s)#.*$/, "").trim();
  return /^(["']).*\1$/.test(text) ? text.slice(1, -1) : text;
}
