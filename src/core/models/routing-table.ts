import { compareVersions } from "./version-number.ts";

/** Where the requests of one model go that name no version. */
export interface Route {
  readonly defaultVersion: string;
  /** Languages that the default version was not made for, and the versions that were. */
  readonly languageVersions: ReadonlyMap<string, string>;
}

/** Which version answers a request that names none. Immutable: a change makes a new table. */
export type RoutingTable = ReadonlyMap<string, Route>;

/** A version that may get traffic. */
export interface RoutableVersion {
  readonly model: string;
  readonly version: string;
  /** Empty when nobody says. */
  readonly languages: readonly string[];
  /** What callers rely on; a version of another kind does not take their requests by itself. */
  readonly kind: string;
}

/** How a version is chosen for who names none. */
export interface RoutingRules {
  /** Model → version; ignored while that version is not ready. */
  readonly pinned: Readonly<Record<string, string>>;
  /** Whether texts go to another version when the default one was not made for their language. */
  readonly byLanguage: boolean;
  /**
   * What a version that gets ready does. `highest`: the highest one answers, whatever it is · `switch`: the highest one of the
   * same kind as the one that answers · `hold`: the one that answers goes on, as long as it is ready.
   */
  readonly onNew: "highest" | "switch" | "hold";
}

/**
 * Builds the table from what is ready. Pure.
 *
 * @param ready versions that may get traffic @param before the table until now
 */
export function buildRoutingTable(
  ready: readonly RoutableVersion[],
  rules: RoutingRules,
  before: RoutingTable = new Map(),
): RoutingTable {
  const byModel = Map.groupBy(ready, ({ model }) => model);
  const table = new Map<string, Route>();
  for (const [model, versions] of byModel) {
    const newestFirst = versions.toSorted((a, b) => compareVersions(b.version, a.version));
    const chosen =
      newestFirst.find(({ version }) => version === rules.pinned[model]) ??
      chooseFree(newestFirst, before.get(model)?.defaultVersion, rules);
    if (chosen === undefined) continue;
    table.set(model, {
      defaultVersion: chosen.version,
      languageVersions: rules.byLanguage ? findLanguageVersions(chosen, newestFirst) : new Map(),
    });
  }
  return table;
}

/** Where nobody has chosen. @param current version that answered until now */
function chooseFree(
  newestFirst: readonly RoutableVersion[],
  current: string | undefined,
  { onNew }: RoutingRules,
): RoutableVersion | undefined {
  const [highest] = newestFirst;
  const still = newestFirst.find(({ version }) => version === current);
  if (onNew === "highest" || still === undefined) return highest;
  if (onNew === "hold") return still;
  return newestFirst.find(({ kind }) => kind === still.kind);
}

/** The newest version for each language that `chosen` lacks. One that states no languages is taken to know them all. */
function findLanguageVersions(
  chosen: RoutableVersion,
  newestFirst: readonly RoutableVersion[],
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (chosen.languages.length === 0) return found;
  for (const { version, languages } of newestFirst) {
    for (const language of languages) {
      if (chosen.languages.includes(language) || found.has(language)) continue;
      found.set(language, version);
    }
  }
  return found;
}
