import type { ConfigProblem, ConfigSource } from "./config-error.ts";
import { SETTINGS } from "./setting-list.ts";
import { suggest } from "./suggest.ts";

/** A value that one layer gives to one setting; not yet checked. */
export interface Assignment {
  readonly path: string;
  readonly value: unknown;
  /** The value is text from outside and must be read as the setting's type. */
  readonly isText: boolean;
  readonly source: ConfigSource;
  /** Finds the source of a part of the value, e.g. of `auth.keys[0].id`, where that is known better. */
  readonly locate?: (path: string) => ConfigSource;
}

/** What one layer of the configuration says. */
export interface Layer {
  readonly assignments: readonly Assignment[];
  readonly problems: readonly ConfigProblem[];
}

/** A layer that says nothing. */
export const EMPTY_LAYER: Layer = { assignments: [], problems: [] };

/** The problem of a name that no setting has, with the path that was probably meant. */
export function createUnknownProblem(
  written: string,
  source: ConfigSource,
  toName: (path: string) => string,
): ConfigProblem {
  const leaves = SETTINGS.map(({ path }) => path);
  // A file may misspell a section too; a flag always names one setting.
  const paths =
    source.kind === "file" ? [...new Set([...leaves, ...leaves.flatMap(toParents)])] : leaves;
  const similar =
    suggest(written, paths) ?? suggest(written.split(".").at(-1) ?? written, paths.map(toLastPart));
  const path = paths.find(
    (candidate) => candidate === similar || toLastPart(candidate) === similar,
  );
  return {
    path: source.kind === "file" ? written : "",
    source,
    expected: "the name of a setting",
    found: JSON.stringify(written),
    ...(path === undefined ? {} : { advice: `Did you mean ${toName(path)}?` }),
  };
}

function toParents(path: string): string[] {
  const parts = path.split(".");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("."));
}

function toLastPart(path: string): string {
  return path.split(".").at(-1) ?? path;
}
