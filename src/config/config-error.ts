/** Where a value came from. Lines and columns count from 1. */
export type ConfigSource =
  | { readonly kind: "default" }
  | {
      readonly kind: "file";
      readonly file: string;
      readonly line?: number;
      readonly column?: number;
    }
  | { readonly kind: "environment"; readonly name: string }
  | { readonly kind: "flag"; readonly name: string }
  /** The models that were loaded do not allow it. */
  | { readonly kind: "models" };

/** One mistake in the configuration. */
export interface ConfigProblem {
  /** Path of the setting, e.g. `auth.keys[0].id`; empty when no single setting is concerned. */
  readonly path: string;
  readonly source: ConfigSource;
  /** Completes "expected …". */
  readonly expected: string;
  /** Completes "found …". Never holds a secret. */
  readonly found: string;
  /** A sentence that says what to do, where the two above do not say it. */
  readonly advice?: string;
}

/** The configuration cannot be used. Holds every mistake at once; `message` is for people, over several lines. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? "a mistake" : `${problems.length} mistakes`;
    super(`The configuration has ${count}:\n${problems.map(toLine).join("\n")}`);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** Names a source in a few words, e.g. `environment SLUICE_PORT` or `sluice.yaml:12:3`. */
export function toSourceText(source: ConfigSource): string {
  switch (source.kind) {
    case "default":
      return "default";
    case "file":
      return [source.file, source.line, source.column]
        .filter((part) => part !== undefined)
        .join(":");
    case "environment":
      return `environment ${source.name}`;
    case "flag":
      return `flag ${source.name}`;
    case "models":
      return "held against the loaded models";
  }
}

function toLine(problem: ConfigProblem): string {
  const source = toSourceText(problem.source);
  const place = problem.path === "" ? source : `${problem.path} (${source})`;
  const advice = problem.advice === undefined ? "" : ` ${problem.advice}`;
  return `  - ${place}: expected ${problem.expected}, found ${problem.found}.${advice}`;
}
