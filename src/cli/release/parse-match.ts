import { InvalidArgumentError } from "commander";

/** A way to recognise requests of an A/B release, as the plan has it. */
export interface WireMatch {
  readonly source: "header" | "cookie" | "key";
  /** Null for a key. */
  readonly name: string | null;
  readonly value: string;
}

const FORM = /^(?:(header|cookie):([^=]+)|(key))=(.+)$/;

/**
 * Reads one `--match` and adds it to those before it: `header:X-Team=blue`, `cookie:group=b`, or `key=team-a` with the id of an
 * API key. Values are compared whole; prefixes and suffixes are for plans.
 */
export function parseMatch(text: string, before: readonly WireMatch[] = []): readonly WireMatch[] {
  const [, source, name, key, value] = FORM.exec(text) ?? [];
  if (value === undefined) {
    throw new InvalidArgumentError(
      "Expected header:<name>=<value>, cookie:<name>=<value> or key=<id>.",
    );
  }
  if (key !== undefined) return [...before, { source: "key", name: null, value }];
  const kind = source === "cookie" ? "cookie" : "header";
  return [...before, { source: kind, name: name ?? null, value }];
}
